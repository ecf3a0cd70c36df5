/**
 * One exchange with the upstream. undici reports what the upstream does, the client's socket what the client does, and
 * the exchange reports its outcome to the caller, once.
 *
 * It uses undici's older handler interface: the newer one does not report when the request has been written, and parses
 * the headers of every response into an object that is not needed here (2.6 µs per request).
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { isCoded, responseFields, trailerFields } from './headers.js';
import type { ForwardError, ForwardHandle, ForwardJob, Outcome } from './outcome.js';
import { type UpstreamConnection, whenWritten } from './upstream-connection.js';

/** How an exchange reaches its upstream. */
export interface UpstreamRoute {
  /** Passes the request to the upstream's connections. */
  dispatch(exchange: Exchange): void;
  /**
   * Sends the request again on a new connection, once, if an idle connection was lost before the first byte of the
   * response. Absent: the request must not be sent twice.
   */
  readonly renew?: ((exchange: Exchange) => void) | undefined;
  /** How often the request is retried if no connection could be made. */
  readonly retries: number;
  /** From the start of the exchange to the response's last byte. 0: no limit. */
  readonly totalTimeoutMs: number;
}

/** Connection failures that a retry may avoid: a restart, or another replica behind the name. */
const PASSING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EPIPE',
  'UND_ERR_SOCKET',
]);

/** Failures that show that the upstream had closed the connection. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

const PLAIN_REASON = /^[\t\x20-\x7e]*$/;

/** The exchanges of a client's connection: pipelined requests make it more than one. */
const clients = new WeakMap<Socket, Set<Exchange>>();

export class Exchange implements Dispatcher.DispatchHandler, ForwardHandle {
  private readonly exchangesOnConnection: Set<Exchange>;
  private waiting: NodeJS.Timeout | undefined;
  private readonly deadline: NodeJS.Timeout | undefined;
  private tries = 0;
  private abort: (() => void) | undefined;
  private resume: (() => void) | undefined;
  private connection: UpstreamConnection | undefined;
  private renewed = false;
  private sent = false;
  private ended = false;
  /** 0 until the upstream has responded. */
  private status = 0;

  constructor(
    private readonly job: ForwardJob,
    private readonly route: UpstreamRoute,
    private readonly done: (outcome: Outcome) => void,
  ) {
    this.exchangesOnConnection = exchangesOf(job.request.socket);
    this.exchangesOnConnection.add(this);
    const { totalTimeoutMs } = route;
    if (totalTimeoutMs > 0) this.deadline = setTimeout(() => this.onDeadline(), totalTimeoutMs);
  }

  /** Gives up if the request has no connection by then. */
  waitAtMost(ms: number): void {
    if (this.ended || this.abort !== undefined || this.waiting !== undefined) return;
    const cause = new Error(`no connection to the upstream within ${ms} ms`);
    this.waiting = setTimeout(() => this.end({ kind: 'not-sent', error: 'upstream-timeout', cause }), ms);
  }

  /** The client's connection is lost. */
  onClientClosed(): void {
    if (this.ended) return;
    this.end(this.clientGone());
    this.abort?.();
  }

  /** The rest of the response must not be served: the client gets these bytes instead. */
  cut(last: Buffer): void {
    if (this.ended || this.status === 0) return;
    this.job.response.end(last);
    this.end({ kind: 'answered', status: this.status, complete: false, clientGone: false });
    this.abort?.();
  }

  onConnect(abort: () => void): void {
    // If this throws here, undici drops the request and keeps the connection; an abort would close it.
    if (this.ended) throw new Error('the client has disconnected');
    clearTimeout(this.waiting);
    this.abort = abort;
    whenWritten((connection) => {
      this.connection = connection;
    });
  }

  onBodySent(): void {
    this.sent = true;
  }

  onRequestSent(): void {
    this.sent = true;
  }

  // biome-ignore lint/complexity/useMaxParams: undici defines this signature.
  onHeaders(status: number, fields: Buffer[], resume: () => void, reason: string): boolean {
    // Interim responses are not passed on: some clients fail on one that they did not ask for.
    if (status < 200) return true;
    // undici decodes chunked bodies, and passes on any other transfer coding undecoded and unreported.
    if (isCoded(fields)) throw new Error('the response has an unsupported transfer coding');
    const { response, extraHeaders, observer } = this.job;
    this.status = status;
    const reshapes = observer?.head(status, fields) ?? false;
    this.resume = resume;
    const flat = responseFields(fields, extraHeaders, reshapes || status === 204);
    if (reason === STATUS_CODES[status] || !PLAIN_REASON.test(reason)) response.writeHead(status, flat);
    else response.writeHead(status, reason, flat);
    // The head of a stream must not wait for its first event. flushHeaders() is not used because it writes the headers
    // as UTF-8. Node corks the socket for the rest of this turn, so head and body leave together if the body is here
    // already.
    response.write('', 'latin1');
    // undici expects a body of this length even if none follows (a 304 may have one), and breaks the connection.
    if (status === 204 || status === 304) this.complete(null);
    return true;
  }

  onData(chunk: Buffer): boolean {
    const { response, observer } = this.job;
    const passed = observer === undefined ? chunk : observer.data(chunk);
    const flows = passed === undefined || response.write(passed);
    const ready = observer?.ready?.();
    if (flows && ready === undefined) return true;
    const { resume } = this;
    if (resume === undefined) return false;
    if (ready === undefined) response.once('drain', resume);
    else if (flows) ready.then(resume, resume);
    else response.once('drain', () => ready.then(resume, resume));
    return false;
  }

  onComplete(trailers: readonly (Buffer | string)[] | null): void {
    if (!this.ended) this.complete(trailers);
  }

  private complete(trailers: readonly (Buffer | string)[] | null): void {
    const { request, response, observer } = this.job;
    const rest = observer?.end();
    if (rest !== undefined) response.write(rest);
    if (trailers !== null && trailers.length > 0 && response.chunkedEncoding && takesTrailers(request))
      response.addTrailers(trailerFields(trailers));
    response.end();
    this.end({ kind: 'answered', status: this.status, complete: true, clientGone: false });
  }

  onError(error: Error): void {
    if (this.ended) return;
    if (this.isWorthAnotherTry(error)) {
      this.tries += 1;
      // undici has not yet removed the failed connection from its pool.
      setImmediate(() => {
        if (!this.ended) this.route.dispatch(this);
      });
    } else if (this.route.renew !== undefined && this.wasLostIdle(error)) {
      this.renewed = true;
      this.abort = undefined;
      this.route.renew(this);
    } else this.fail(this.sent ? errorAfter(error) : errorBefore(error), error);
  }

  private onDeadline(): void {
    if (this.ended) return;
    this.fail('upstream-timeout', new Error(`no complete response within ${this.route.totalTimeoutMs} ms`));
    this.abort?.();
  }

  /** Only if no connection was made, so no byte was sent. A timeout is not retried. */
  private isWorthAnotherTry(error: Error): boolean {
    return this.abort === undefined && this.tries < this.route.retries && PASSING.has(codeOf(error));
  }

  private wasLostIdle(error: Error): boolean {
    const { connection } = this;
    if (connection === undefined || this.renewed) return false;
    return connection.isReused && !connection.heard && LOST.has(codeOf(error));
  }

  private fail(error: ForwardError, cause: Error): void {
    if (this.status !== 0) {
      this.cutShort();
      this.end({ kind: 'answered', status: this.status, complete: false, clientGone: false });
    } else this.end({ kind: this.sent ? 'broken' : 'not-sent', error, cause });
  }

  private clientGone(): Outcome {
    if (this.status !== 0) {
      return { kind: 'answered', status: this.status, complete: false, clientGone: true };
    }
    return { kind: this.sent ? 'client-gone' : 'client-gone-unsent' };
  }

  private cutShort(): void {
    const { request, response } = this.job;
    const isOld = request.httpVersionMinor === 0;
    if (response.socket !== null) endEarly(response.socket, isOld);
    // The response waits behind another one; it is written in the turn in which it gets the socket.
    else response.once('socket', (socket: Socket) => process.nextTick(endEarly, socket, isOld));
  }

  private end(outcome: Outcome): void {
    this.ended = true;
    this.exchangesOnConnection.delete(this);
    clearTimeout(this.waiting);
    clearTimeout(this.deadline);
    try {
      this.done(outcome);
    } catch (error) {
      // undici would swallow the error.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

function exchangesOf(socket: Socket): Set<Exchange> {
  const known = clients.get(socket);
  if (known !== undefined) return known;
  const exchanges = new Set<Exchange>();
  clients.set(socket, exchanges);
  // Responses that wait behind another one get no event when the connection ends, so the socket is observed.
  socket.once('close', () => {
    for (const exchange of exchanges) exchange.onClientClosed();
  });
  return exchanges;
}

/**
 * The client must see that the body is incomplete: the received bytes are sent, then the connection is closed without a
 * proper end.
 */
function endEarly(socket: Socket, isOld: boolean): void {
  if (!isOld) socket.destroySoon();
  // Before HTTP/1.1, the end of the connection may end a body. Only a reset, or TLS without a close notification, shows
  // that the body is incomplete.
  else if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function takesTrailers({ headers }: IncomingMessage): boolean {
  return /(?:^|,)[\t ]*trailers[\t ]*(?:;|,|$)/i.test(String(headers.te ?? ''));
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function errorBefore(error: Error): ForwardError {
  switch (codeOf(error)) {
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return 'shutting-down';
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'request-malformed';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'upstream-timeout';
    default:
      return 'upstream-unreachable';
  }
}

function errorAfter(error: Error): ForwardError {
  switch (codeOf(error)) {
    case 'UND_ERR_DESTROYED':
      return 'shutting-down';
    case 'UND_ERR_HEADERS_TIMEOUT':
      return 'upstream-timeout';
    default:
      return 'upstream-broken';
  }
}
