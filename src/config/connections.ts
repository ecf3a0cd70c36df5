/** The part of the schema that is about connections: those of clients, and those to upstreams. */
import Type from 'typebox';
import { SetHeaders } from './credentials.js';
import { file, origin, passHeader, section, whole } from './schema-types.js';

const HOUR_MS = 3_600_000;

export const Clients = section(
  {
    headersMs: whole(1, HOUR_MS, {
      default: 30_000,
      description: 'Longest time in which the line and header fields of a request may arrive.',
    }),
    stallMs: whole(1, HOUR_MS, {
      default: 60_000,
      description:
        'Longest silence of a client within a request, or without taking any of an answer: then its connection ends.',
    }),
    keepAliveMs: whole(1, HOUR_MS, {
      default: 75_000,
      description:
        'Longest silence between two requests. It should be longer than that of a load balancer in front.',
    }),
  },
  { default: {} },
);

const timeouts = section(
  {
    connectMs: whole(1, 60_000, { default: 2_000, description: 'Longest wait for a connection.' }),
    headersMs: whole(1, HOUR_MS, {
      default: 60_000,
      description: 'Longest wait for the status and headers of the answer.',
    }),
    bodyMs: whole(1, HOUR_MS, {
      default: 60_000,
      description: 'Longest silence between two pieces of the answer’s body.',
    }),
    totalMs: Type.Optional(
      whole(1, 24 * HOUR_MS, {
        description:
          'From admission to the answer’s last byte: what is not over then is cut. Left out: no bound.',
      }),
    ),
  },
  { default: {} },
);

export const Upstream = section({
  url: origin({
    secret: true,
    description: 'Where matched requests are forwarded to: an origin, or `unix:///path` of a socket.',
  }),
  caFile: Type.Optional(
    file({
      description:
        'PEM file with the authorities whose certificates are trusted. Left out: those that Node.js knows.',
    }),
  ),
  timeouts,
  connections: whole(1, 65_535, {
    default: 1_024,
    description: 'Most connections to this upstream, and so most requests at a time: further ones wait.',
  }),
  retries: whole(0, 5, {
    default: 1,
    description:
      'How often a request is tried again whose connection could not be made. Above 0, an idempotent one is also sent ' +
      'once more where an idle connection is lost before any answer.',
  }),
  setHeaders: SetHeaders,
  passHeaders: Type.Array(passHeader({}), {
    default: [],
    uniqueItems: true,
    expects: 'a list of names of request headers',
    description:
      'Dropped request headers that this upstream gets all the same: names with more than letters, digits and `-`, or ' +
      'headers that move path, method or caller (`script-name`, `x-original-url` …).',
  }),
});
