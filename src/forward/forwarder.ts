/** One upstream: a pool of connections, through which jobs are streamed in both directions. */
import { buildConnector, Client, Pool } from 'undici';
import { Exchange } from './exchange.js';
import { type OnDropped, requestHead, upstreamFields } from './headers.js';
import type { ForwardHandle, ForwardJob, Outcome } from './outcome.js';
import { uploadOf } from './upload.js';
import { observe } from './upstream-connection.js';

export type { ForwardHandle, ForwardJob, Outcome } from './outcome.js';

export interface UpstreamOptions {
  /** http: or https:, host, port and a base path that goes before every path; or unix: and the path of a socket. */
  readonly url: string;
  /** How long a request may wait for a connection: for a free one, and for its set-up. */
  readonly connectTimeoutMs: number;
  /** From the request's end to the answer's head. undici's clock ticks twice a second. */
  readonly headersTimeoutMs: number;
  /** The longest silence within the answer's body. 0: no bound. */
  readonly bodyTimeoutMs: number;
  /** From the job's beginning to the answer's last byte. Left out: no bound. */
  readonly totalTimeoutMs?: number | undefined;
  /** Most connections, and so most requests at a time; further ones wait. */
  readonly connections: number;
  /**
   * How often a job is tried again of which nothing was sent, since no connection could be made. Left out: never. Where it
   * is allowed, an idempotent request without a streamed body is also sent once more when a connection that had been idle
   * is lost before a byte of the answer.
   */
  readonly retries?: number | undefined;
  /** Flat; sent in place of the client's fields of the same names. A `host` here is sent instead of the URL's. */
  readonly setHeaders?: readonly string[] | undefined;
  /** Lower-case names of the client's fields that are dropped by default, but that this upstream gets. */
  readonly passHeaders?: readonly string[] | undefined;
  /** PEM of the authorities to trust instead of Node's own. The certificate is verified in any case. */
  readonly ca?: string | undefined;
}

export interface Forwarder {
  /**
   * Streams the request to the upstream and its answer to the client. Calls `done` exactly once, perhaps before it
   * returns. On `not-sent` and `broken` the client has no answer yet, and the caller writes one.
   */
  forward(job: ForwardJob, done: (outcome: Outcome) => void): ForwardHandle;
  /** Takes no more jobs; resolves when those under way have ended. */
  close(): Promise<void>;
  /** Cuts off what is still under way. */
  destroy(): Promise<void>;
}

/** Answers with larger heads are broken; cookies and policies make some far larger than requests' are. */
const ANSWER_HEAD_MAX_BYTES = 65_536;

/** Methods that a client may send again by itself (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const NOT_BEGUN: ForwardHandle = { cut: () => undefined };

/** Throws where the URL or the fields to set cannot be used. */
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
      // A set-up is bounded by undici; the wait in its queue, where every connection is busy, is not.
      if (!free) exchange.waitAtMost(options.connectTimeoutMs);
    };
    const renew = (exchange: Exchange): void => {
      const client = new Client(place.origin, connection);
      client.dispatch({ method, path, headers, body: job.body ?? null }, exchange);
      // It takes no more, and ends with this one.
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
    destroy: async () => {
      await Promise.all([pool.destroy(), ...[...renewals.keys()].map((client) => client.destroy())]);
    },
  };
}

/** Jobs under way may still be renewed while the pool closes. */
async function closeAll(pool: Pool, renewals: ReadonlyMap<Client, Promise<void>>): Promise<void> {
  await pool.close();
  await Promise.all(renewals.values());
}

interface Place {
  readonly origin: string;
  /** Goes before every path. */
  readonly base: string;
  /** Left out: TCP. */
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
    // One request at a time on a connection: none must wait behind a slow answer, and a reset must hit one only.
    pipelining: 1,
    allowH2: false,
    // Below the five seconds after which Node's servers, and many others, drop an idle connection. A server's own
    // hint goes first.
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
