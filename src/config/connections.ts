/** The schema of connections: those of clients, and those to upstreams. */
import Type from 'typebox';
import { SetHeaders } from './credentials.js';
import { file, origin, passHeader, section, whole } from './schema-types.js';

const HOUR_MS = 3_600_000;

export const Clients = section(
  {
    headersMs: whole(1, HOUR_MS, {
      default: 30_000,
      description: 'Longest time to receive the request line and all header fields.',
    }),
    stallMs: whole(1, HOUR_MS, {
      default: 60_000,
      description:
        'Longest time without progress while a client sends a request or receives a response; then its connection is closed.',
    }),
    keepAliveMs: whole(1, HOUR_MS, {
      default: 75_000,
      description:
        'Longest idle time between two requests. Set it longer than the idle timeout of a load balancer in front.',
    }),
  },
  { default: {} },
);

const timeouts = section(
  {
    connectMs: whole(1, 60_000, { default: 2_000, description: 'Longest wait for a connection.' }),
    headersMs: whole(1, HOUR_MS, {
      default: 60_000,
      description: 'Longest wait for the status and headers of the response.',
    }),
    bodyMs: whole(1, HOUR_MS, {
      default: 60_000,
      description: 'Longest wait between two chunks of the response body.',
    }),
    totalMs: Type.Optional(
      whole(1, 24 * HOUR_MS, {
        description:
          'Longest time from admission to the last byte of the response; then the request is aborted. Left out: no bound.',
      }),
    ),
  },
  { default: {} },
);

export const Upstream = section({
  url: origin({
    secret: true,
    description: 'Where matched requests are forwarded: an origin, or `unix:///path` for a socket.',
  }),
  caFile: Type.Optional(
    file({
      description: 'PEM file with the certificate authorities to trust. Left out: those of Node.js.',
    }),
  ),
  timeouts,
  connections: whole(1, 65_535, {
    default: 1_024,
    description: 'Most connections to this upstream, and so most concurrent requests; further requests wait.',
  }),
  retries: whole(0, 5, {
    default: 1,
    description:
      'How often a request is retried when no connection could be made. Above 0, an idempotent request is also sent ' +
      'once more when an idle connection is lost before any response.',
  }),
  setHeaders: SetHeaders,
  passHeaders: Type.Array(passHeader({}), {
    default: [],
    uniqueItems: true,
    expects: 'a list of names of request headers',
    description:
      'Request headers that are dropped by default, but passed to this upstream: names with characters other than letters, digits and `-`, or ' +
      'headers that change path, method or caller (`script-name`, `x-original-url` …).',
  }),
});
