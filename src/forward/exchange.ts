/**
 * One request on its way: undici tells it what the upstream does, the client's socket what the client does, and it
 * tells the caller how it ended, once.
 *
 * It speaks undici's older handler interface: the newer one does not say when the request has been written, and parses
 * the fields of every answer into an object that nobody here wants (2.6 µs a request).
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { responseFields } from './headers.js';
import type { ForwardError, ForwardJob, Outcome } from './outcome.js';

const PLAIN_REASON = /^[\t\x20-\x7e]*$/;

/** The exchanges of a client's connection: pipelined requests make it more than one. */
const clients = new WeakMap<Socket, Set<Exchange>>();

export class Exchange implements Dispatcher.DispatchHandler {
  private readonly siblings: Set<Exchange>;
  private waiting: NodeJS.Timeout | undefined;
  private abort: (() => void) | undefined;
  private resume: (() => void) | undefined;
  private sent = false;
  private ended = false;
  /** 0 until the upstream has answered. */
  private status = 0;

  constructor(
    private readonly job: ForwardJob,
    private readonly done: (outcome: Outcome) => void,
  ) {
    this.siblings = exchangesOf(job.request.socket);
    this.siblings.add(this);
  }

  /** Gives up if the request is not on a connection by then. */
  waitAtMost(ms: number): void {
    if (this.ended || this.abort !== undefined) return;
    const cause = new Error(`no connection to the upstream within ${ms} ms`);
    this.waiting = setTimeout(() => this.end({ kind: 'not-sent', error: 'upstream-timeout', cause }), ms);
  }

  /** The client's connection is lost. */
  onClientClosed(): void {
    if (this.ended) return;
    this.end(this.clientGone());
    this.abort?.();
  }

  onConnect(abort: () => void): void {
    // Thrown here, undici forgets the request and keeps the connection; an abort would cost it.
    if (this.ended) throw new Error('nobody waits for this request any more');
    clearTimeout(this.waiting);
    this.abort = abort;
  }

  onBodySent(): void {
    this.sent = true;
  }

  onRequestSent(): void {
    this.sent = true;
  }

  onHeaders(status: number, fields: Buffer[], resume: () => void, reason: string): boolean {
    // Interim answers are between the upstream and us: not every client bears one that it did not ask for.
    if (status < 200) return true;
    const { response, extraHeaders, watcher } = this.job;
    this.status = status;
    watcher?.head(fields);
    this.resume = resume;
    const flat = responseFields(fields, extraHeaders);
    if (reason === STATUS_CODES[status] || !PLAIN_REASON.test(reason)) response.writeHead(status, flat);
    else response.writeHead(status, reason, flat);
    // A stream's head must not wait for its first event. Not flushHeaders(), which writes the fields as UTF-8. Node
    // corks the socket for the rest of this turn: where the body is here already, they leave together.
    response.write('', 'latin1');
    return true;
  }

  onData(chunk: Buffer): boolean {
    const { response, watcher } = this.job;
    watcher?.data(chunk);
    if (response.write(chunk)) return true;
    if (this.resume !== undefined) response.once('drain', this.resume);
    return false;
  }

  onComplete(): void {
    this.job.response.end();
    this.end({ kind: 'answered', status: this.status, complete: true, clientGone: false });
  }

  onError(error: Error): void {
    if (this.ended) return;
    if (this.status !== 0) {
      this.cutShort();
      this.end({ kind: 'answered', status: this.status, complete: false, clientGone: false });
    } else if (this.sent) this.end({ kind: 'broken', error: errorAfter(error), cause: error });
    else this.end({ kind: 'not-sent', error: errorBefore(error), cause: error });
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
    // It waits behind another answer; in the turn in which it gets the socket, what came of it is written.
    else response.once('socket', (socket: Socket) => process.nextTick(endEarly, socket, isOld));
  }

  private end(outcome: Outcome): void {
    this.ended = true;
    this.siblings.delete(this);
    clearTimeout(this.waiting);
    try {
      this.done(outcome);
    } catch (error) {
      // undici would swallow it.
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
  // The responses cannot be asked: those that wait behind another one hear nothing when the connection ends.
  socket.once('close', () => {
    for (const exchange of exchanges) exchange.onClientClosed();
  });
  return exchanges;
}

/** The client must see that the body is not whole: what came is sent, then the connection ends without its end. */
function endEarly(socket: Socket, isOld: boolean): void {
  if (!isOld) socket.destroySoon();
  // Before HTTP/1.1 a body may end with its connection: only a reset, or TLS that breaks off, says that it did not.
  else if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
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
