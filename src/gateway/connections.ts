/**
 * What is under way on which connection: one request at a time. What a client sends behind it waits for the answer, so
 * that nothing is forwarded behind an answer that ends the connection. A gateway that closes answers what is under way to
 * its last byte, and then ends the connection.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LINGER_BOUNDS, type LingerBounds, linger } from './linger.js';

interface Turn {
  readonly response: ServerResponse;
  readonly go: () => void;
}

interface Traffic {
  current: ServerResponse | undefined;
  readonly waiting: Turn[];
  /** The answer under way is the last. */
  ending: boolean;
  /** Set while the client's rest is read and dropped; called when the gateway closes. */
  hurry: (() => void) | undefined;
  /** Bytes came that are no request. */
  unreadable: boolean;
  /** Requests that came behind the last answer. */
  dropped: number;
}

/** Who sends more requests ahead of their answers is no client: each costs memory while it waits. */
const WAITING_MAX = 100;

export class Connections {
  closing = false;
  /** Requests whose turn has come, and whose answer is not over. */
  inFlight = 0;
  private draining = false;
  /** By the client's address and port: TLS wraps a socket in another one, with the same. */
  private readonly sockets = new Map<string, Socket>();
  private readonly traffic = new WeakMap<Socket, Traffic>();

  constructor(private readonly lingerBounds: LingerBounds = LINGER_BOUNDS) {}

  /**
   * A connection on which nothing moves either way for `stallMs` is ended where it is the client's turn: to send the
   * rest of a request, or to take what was written. An upstream that takes its time has bounds of its own.
   */
  watch(server: Server, stallMs: number): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    // Only a server with TLS has this event.
    server.on('secureConnection', (socket: Socket) => this.add(socket));
    // A client that has ended its side may still wait for its answer; else node would drop it.
    Object.assign(server, { httpAllowHalfOpen: true });
    // Node takes a connection for idle whose answer is handed over but not yet sent, and would cut it off.
    server.closeIdleConnections = () => this.endIdle();
    server.timeout = stallMs;
    server.on('timeout', (socket: Socket) => {
      if (this.isStalled(socket)) socket.destroy();
      else socket.setTimeout(stallMs);
    });
  }

  /** Runs `go` when the request's turn has come; never, if the connection ends before. */
  take(response: ServerResponse, go: () => void): void {
    const { socket } = response.req;
    const traffic = this.traffic.get(socket);
    if (traffic === undefined) return;
    // What comes behind an answer that ends its connection is dropped, and costs memory until then.
    if (!socket.writable) {
      traffic.dropped += 1;
      if (traffic.dropped > WAITING_MAX) socket.destroy();
    } else if (traffic.current === undefined) this.begin(socket, traffic, { response, go });
    else if (traffic.waiting.length < WAITING_MAX) traffic.waiting.push({ response, go });
    else socket.destroy();
  }

  /** What is being answered on this connection. */
  currentOn(socket: Socket): ServerResponse | undefined {
    return this.traffic.get(socket)?.current;
  }

  /** The last answer is given: what comes now is dropped. */
  isLingering(socket: Socket): boolean {
    return this.traffic.get(socket)?.hurry !== undefined;
  }

  /** The answer under way is the last on its connection: what comes behind it is no request. */
  endAfterCurrent(socket: Socket): void {
    const traffic = this.traffic.get(socket);
    if (traffic === undefined) return;
    traffic.ending = true;
    traffic.unreadable = true;
    sayClose(traffic.current);
  }

  /** What comes on this connection is no request: it ends, and what follows is dropped. */
  markUnreadable(socket: Socket): void {
    const traffic = this.traffic.get(socket);
    if (traffic !== undefined) traffic.unreadable = true;
  }

  /** From here on each connection ends with the answer that is under way on it; new ones are taken all the same. */
  drain(): void {
    this.draining = true;
    for (const socket of this.sockets.values()) sayClose(this.currentOn(socket));
  }

  /** As above, and nothing new is taken. */
  close(): void {
    this.closing = true;
    this.drain();
    this.endIdle();
  }

  private add(socket: Socket): void {
    const client = `${socket.remoteAddress} ${socket.remotePort}`;
    this.sockets.set(client, socket);
    const traffic: Traffic = {
      current: undefined,
      waiting: [],
      ending: false,
      hurry: undefined,
      unreadable: false,
      dropped: 0,
    };
    this.traffic.set(socket, traffic);
    // By this, node and we end a connection behind its last answer.
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (!socket.destroyed && mayBeSending(traffic)) this.lingerOn(socket, traffic);
      else destroySoon();
    };
    socket.once('end', () => {
      if (traffic.current?.headersSent) endIfQuiet(socket, traffic.current);
      else probe(socket, traffic);
    });
    socket.once('close', () => {
      if (this.sockets.get(client) === socket) this.sockets.delete(client);
    });
  }

  private lingerOn(socket: Socket, traffic: Traffic): void {
    if (traffic.hurry !== undefined) return;
    traffic.ending = true;
    traffic.hurry = linger(socket, this.lingerBounds);
    // The rest of a body that was being read, or that nobody reads.
    traffic.current?.req.resume();
    if (this.closing) traffic.hurry();
  }

  private begin(socket: Socket, traffic: Traffic, { response, go }: Turn): void {
    traffic.current = response;
    this.inFlight += 1;
    if (this.draining) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.inFlight -= 1;
      traffic.current = undefined;
      // After an answer with `Connection: close` nothing can be written any more.
      const next = socket.writable && !traffic.ending ? traffic.waiting.shift() : undefined;
      if (next !== undefined) this.begin(socket, traffic, next);
      else if (this.closing || traffic.ending) socket.destroySoon();
    });
    go();
  }

  private endIdle(): void {
    for (const socket of this.sockets.values()) {
      const traffic = this.traffic.get(socket);
      if (traffic?.hurry !== undefined) traffic.hurry();
      else if (traffic?.current === undefined) socket.destroySoon();
    }
  }

  private isStalled(socket: Socket): boolean {
    const response = this.currentOn(socket);
    if (response === undefined || socket.writableLength > 0) return true;
    const { req: request } = response;
    // Where something lies unread, or nobody reads, it is not the client that is waited for.
    return !request.complete && request.readableFlowing === true && request.readableLength === 0;
  }
}

/** The first write to a client that is gone is answered with a reset, the second one shows it; a client may leave later, too. */
const PROBES_MS = [50, 1_000, 10_000] as const;

/**
 * A client that has ended its side waits for its answer, or is gone: the same to see until something is written. Interim
 * answers, which every client of HTTP/1.1 must bear, tell the two apart.
 */
function probe(socket: Socket, traffic: Traffic, count = 0): void {
  // Over TLS nobody ends one side only.
  if (socket.destroyed || !socket.writable || 'encrypted' in socket) return;
  const { current } = traffic;
  const waits = current?.req.complete === true && !current.headersSent;
  if (waits && current.req.httpVersion === '1.1') current.writeContinue();
  setTimeout(() => probe(socket, traffic, count + 1), PROBES_MS[count] ?? PROBES_MS[2]).unref();
}

/** A client that ends its side while it is being answered has mostly left: an answer that does not move is let go. */
const QUIET_MS = 250;

function endIfQuiet(socket: Socket, response: ServerResponse): void {
  const { bytesWritten } = socket;
  const look = (): void => {
    if (socket.destroyed || response.writableEnded) return;
    const moves = socket.bytesWritten !== bytesWritten || socket.writableLength > 0;
    if (moves) endIfQuiet(socket, response);
    else socket.destroy();
  };
  setTimeout(look, QUIET_MS).unref();
}

/** Whether more of the client's bytes may be on their way when its connection ends behind an answer. */
function mayBeSending({ current, waiting, hurry, unreadable }: Traffic): boolean {
  if (hurry !== undefined) return true;
  if (current === undefined) return unreadable || waiting.length > 0;
  // A request that broke off while it was handled: only the end of its connection tells its handler.
  if (!current.headersSent) return false;
  return unreadable || waiting.length > 0 || !current.req.complete;
}

function sayClose(response: ServerResponse | undefined): void {
  if (response !== undefined && !response.headersSent) response.setHeader('Connection', 'close');
}
