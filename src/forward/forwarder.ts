/** One upstream: a pool of connections that streams requests and responses. */
import { buildConnector, Client, Pool } from 'undici';
import { Exchange } from './exchange.js';
import { type OnDropped, requestHead, upstreamFields } from './headers.js';
import type { ForwardHandle, ForwardJob, Outcome } from './outcome.js';
import { uploadOf } from './upload.js';
import { observe } from './upstream-connection.js';

export type { ForwardHandle, ForwardJob, Outcome } from './outcome.js';

export interface UpstreamOptions {
  /**
   * http: or https:, with host, port and a base path that is prepended to every path; or unix: and the path of a
   * socket.
   */
  readonly url: string;
  /** How long a request may wait for a free connection and for its set-up. */
  readonly connectTimeoutMs: number;
  /** From the request's end to the response's headers. undici's timer has a resolution of half a second. */
  readonly headersTimeoutMs: number;
  /** The longest pause within the response's body. 0: no limit. */
  readonly bodyTimeoutMs: number;
  /** From the start of the job to the response's last byte. Absent: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  /** Maximum connections, and therefore maximum concurrent requests; further ones wait. */
  readonly connections: number;
  /**
   * How often a job is retried if no connection could be made, so nothing was sent. Absent: never. If retries are
   * allowed, an idempotent request without a streamed body is also sent once more when an idle connection is lost
   * before the first byte of the response.
   */
  readonly retries?: number | undefined;
  /** Flat; replaces the client's headers with the same names. A `host` here replaces the URL's host. */
  readonly setHeaders?: readonly string[] | undefined;
  /** Lower-case names of client headers that are dropped by default, but passed to this upstream. */
  readonly passHeaders?: readonly string[] | undefined;
  /** PEM of the authorities to trust instead of Node's own. The certificate is always verified. */
  readonly ca?: string | undefined;
}

export interface Forwarder {
  /**
   * Streams the request to the upstream and its response to the client. Calls `done` exactly once, possibly before it
   * returns. On `not-sent` and `broken` the client has no response yet, and the caller writes one.
   */
  forward(job: ForwardJob, done: (outcome: Outcome) => void): ForwardHandle;
  /** Accepts no more jobs; resolves when the current ones have ended. */
  close(): Promise<void>;
  /** Aborts the jobs that are still running. */
  destroy(): Promise<void>;
}

/**
 * Responses with larger headers fail. Cookies and policies can make response headers much larger than request headers.
 */
const ANSWER_HEAD_MAX_BYTES = 65_536;

/** Methods that a client may repeat automatically (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const NOT_BEGUN: ForwardHandle = { cut: () => undefined };

/** Throws if the URL or the headers to set are invalid. */
export function createForwarder(options: UpstreamOptions, onDropped?: OnDropped): Forwarder {
  const place = placeOf(options.url);
  const own = upstreamFields(options.setHeaders ?? [], options.passHeaders, onDropped);
  const connection = connectionOptions(place, options);
  const pool = new Pool(place.origin, { ...connection, connections: options.connections });
  const renewals = new Map<Client, Promise<void>>();
  const { retries = 0, totalTimeoutMs = 0 } = options;
  let closing: Promise<void> | undefined;
  const forward = (job: ForwardJob, done: (outcome: Outcome) => void): ForwardHandle => {
    if (job.request.socket.destroyed) {
      done({ kind: 'client-gone-unsent' });
      return NOT_BEGUN;
    }
    const { method } = job;
    const { fields: headers, streams } = requestHead(job, own);
    const path = place.base + job.path;
    const dispatch = (exchange: Exchange): void => {
      const body = streams ? uploadOf(job.request) : (job.body ?? null);
      const free = pool.dispatch({ method, path, headers, body }, exchange);
      // undici limits the connection set-up, but not the wait in its queue while all connections are busy.
      if (!free) exchange.waitAtMost(options.connectTimeoutMs);
    };
    const renew = (exchange: Exchange): void => {
      const client = new Client(place.origin, connection);
      client.dispatch({ method, path, headers, body: job.body ?? null }, exchange);
      // The connection accepts no more requests and ends with this one.
      const ended = client.close().finally(() => renewals.delete(client));
      renewals.set(client, ended);
    };
    const isRepeatable = retries > 0 && !streams && IDEMPOTENT.has(method);
    const route = { dispatch, retries, totalTimeoutMs, renew: isRepeatable ? renew : undefined };
    const exchange = new Exchange(job, route, done);
    dispatch(exchange);
    return exchange;
  };
  return {
    forward,
    close: () => {
      closing ??= closeAll(pool, renewals);
      return closing;
    },
    destroy: () => {
      // A pool that is destroyed cannot be closed any more.
      closing = destroyAll(pool, renewals);
      return closing;
    },
  };
}

async function destroyAll(pool: Pool, renewals: ReadonlyMap<Client, Promise<void>>): Promise<void> {
  await Promise.all([pool.destroy(), ...[...renewals.keys()].map((client) => client.destroy())]);
}

/** Current jobs may still be retried while the pool closes. */
async function closeAll(pool: Pool, renewals: ReadonlyMap<Client, Promise<void>>): Promise<void> {
  await pool.close();
  await Promise.all(renewals.values());
}

interface Place {
  readonly origin: string;
  /** Prepended to every path. */
  readonly base: string;
  /** Absent: TCP. */
  readonly socketPath?: string;
}

function connectionOptions({ socketPath }: Place, options: UpstreamOptions): Client.Options {
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(socketPath === undefined ? {} : { socketPath }),
  });
  return {
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
    maxHeaderSize: ANSWER_HEAD_MAX_BYTES,
    // One request at a time per connection: no request waits behind a slow response, and a reset affects only one.
    pipelining: 1,
    allowH2: false,
    // Below five seconds, after which Node's servers and many others close an idle connection. A server's own hint
    // takes precedence.
    keepAliveTimeout: 4_000,
    connect: (target, callback) =>
      connect(target, (...made) => {
        if (made[0] === null) observe(made[1]);
        callback(...made);
      }),
  };
}

function placeOf(text: string): Place {
  const url = new URL(text);
  const more = url.username + url.password + url.search + url.hash;
  if (url.protocol === 'unix:' && url.host + more === '' && url.pathname.length > 1)
    return { origin: 'http://localhost', base: '', socketPath: decodeURIComponent(url.pathname) };
  if (!/^https?:$/.test(url.protocol) || more !== '')
    throw new Error(`'${text}' is not an upstream: http(s)://host:port/base or unix:///path`);
  return { origin: url.origin, base: url.pathname.replace(/\/$/, '') };
}
