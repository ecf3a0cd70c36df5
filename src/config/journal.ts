/** The schema of the journal: how much of it is kept, and where it is exported to. */
import Type from 'typebox';
import { file, mapOf, name, section, webUrl, whole } from './schema-types.js';

export const HttpExport = section({
  url: webUrl({
    description:
      'Receiver of the events, posted in batches as `application/cloudevents-batch+json`. An answer of 2xx means that it has them.',
  }),
  bearerFile: Type.Optional(
    file({
      description:
        'File with a token that is sent as `Authorization: Bearer`. Read for each request. Left out: no such header.',
    }),
  ),
  secretFile: Type.Optional(
    file({
      description:
        'File with the secret (`whsec_…`) by which each request is signed, as Standard Webhooks define it. Read for each request. Left out: no signature.',
    }),
  ),
  caFile: Type.Optional(
    file({
      description:
        'PEM file with the certificate authorities to trust. Left out: those of Node.js. Read at the start.',
    }),
  ),
  timeoutMs: whole(100, 120_000, {
    default: 15_000,
    description: 'Longest time until the receiver has answered.',
  }),
  batchEvents: whole(1, 10_000, {
    default: 500,
    description:
      'Most events in one request, unless one journal entry has more. A request has about 1 MB at most.',
  }),
});

export const FileExport = section({
  folder: file({
    expects: 'the path of a folder',
    description:
      'Folder for files of JSON lines, one event a line. Each process writes files of its own and begins a new one every day (UTC). ' +
      'The gateway never deletes them.',
  }),
  maxMiB: whole(1, 10_240, {
    default: 64,
    description: 'Size at which a new file begins.',
  }),
});

export const Journal = section(
  {
    exports: mapOf(Type.Union([HttpExport, FileExport]), {
      keyName: 'target',
      keys: name({}),
      default: {},
      description:
        'Targets that get every entry of the journal as CloudEvents, at least once. All replicas need the same targets. Left out: none.',
    }),
    source: name({
      default: 'quotagate',
      description:
        'First part of the `source` of all events. Installations that export to one receiver need different ones.',
    }),
    keepMiB: whole(1, 102_400, {
      default: 64,
      replaces: 'keepEntries',
      description:
        'Memory that the journal of an org may take for targets that lack its entries. Beyond it, the oldest are deleted and counted as lost.',
    }),
  },
  { default: {} },
);
