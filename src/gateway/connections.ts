/**
 * Tracks the requests of each client connection and runs one at a time. Later requests wait for the response, so that
 * nothing is forwarded after a response that ends the connection. A closing gateway completes the current responses and
 * then closes their connections.
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
  /** The current response is the last one. */
  ending: boolean;
  /** Set while the rest of the client's bytes is read and dropped; called when the gateway closes. */
  hurry: (() => void) | undefined;
  /** Bytes arrived that are not a request. */
  unreadable: boolean;
  /** Requests that arrived after the last response. */
  dropped: number;
}

/** Limits pipelining: each waiting request costs memory, and no honest client sends more. */
const WAITING_MAX = 100;

export class Connections {
  closing = false;
  /** Requests that are being processed and whose response is not complete. */
  inFlight = 0;
  private draining = false;
  /** Keyed by the client's address and port, because TLS wraps the socket in another one with the same address. */
  private readonly sockets = new Map<string, Socket>();
  private readonly traffic = new WeakMap<Socket, Traffic>();

  constructor(private readonly lingerBounds: LingerBounds = LINGER_BOUNDS) {}

  /**
   * A connection without progress for `stallMs` is closed if the gateway waits for the client: to send the rest of a
   * request, or to read a response. A slow upstream has its own timeouts.
   */
  watch(server: Server, stallMs: number): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    // Only a server with TLS emits this event.
    server.on('secureConnection', (socket: Socket) => this.add(socket));
    // A client that has ended its side may still wait for its response; otherwise Node would drop it.
    Object.assign(server, { httpAllowHalfOpen: true });
    // Node treats a connection as idle when its response is written but not yet sent, and would cut it off.
    server.closeIdleConnections = () => this.endIdle();
    server.timeout = stallMs;
    server.on('timeout', (socket: Socket) => {
      if (this.isStalled(socket)) socket.destroy();
      else socket.setTimeout(stallMs);
    });
  }

  /** Runs `go` when it is the request's turn; never, if the connection ends before. */
  take(response: ServerResponse, go: () => void): void {
    const { socket } = response.req;
    const traffic = this.traffic.get(socket);
    if (traffic === undefined) return;
    // Bytes after a response that ends its connection are dropped; until then they cost memory.
    if (!socket.writable) {
      traffic.dropped += 1;
      if (traffic.dropped > WAITING_MAX) socket.destroy();
    } else if (traffic.current === undefined) this.begin(socket, traffic, { response, go });
    else if (traffic.waiting.length < WAITING_MAX) traffic.waiting.push({ response, go });
    else socket.destroy();
  }

  /** The request that is being answered on this connection. */
  currentOn(socket: Socket): ServerResponse | undefined {
    return this.traffic.get(socket)?.current;
  }

  /** The last response is written; further bytes are dropped. */
  isLingering(socket: Socket): boolean {
    return this.traffic.get(socket)?.hurry !== undefined;
  }

  /** The current response is the last on its connection: bytes after it are not read as a request. */
  endAfterCurrent(socket: Socket): void {
    const traffic = this.traffic.get(socket);
    if (traffic === undefined) return;
    traffic.ending = true;
    traffic.unreadable = true;
    sayClose(traffic.current);
  }

  /** The bytes on this connection are not a request: it is closed, and what follows is dropped. */
  markUnreadable(socket: Socket): void {
    const traffic = this.traffic.get(socket);
    if (traffic !== undefined) traffic.unreadable = true;
  }

  /** From now on each connection is closed after its current response; new connections are still accepted. */
  drain(): void {
    this.draining = true;
    for (const socket of this.sockets.values()) sayClose(this.currentOn(socket));
  }

  /** The same, and no new connections are accepted. */
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
    // With this header, Node and the gateway close the connection after its last response.
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
      // After a response with `Connection: close` nothing can be written any more.
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
    // If bytes are unread, or the response is not being read, the gateway is not waiting for the client.
    return !request.complete && request.readableFlowing === true && request.readableLength === 0;
  }
}

/**
 * The first write to a disconnected client causes a reset, and the second write reports it; a client may also
 * disconnect later.
 */
const PROBES_MS = [50, 1_000, 10_000] as const;

/**
 * A client that has ended its side either waits for its response or is gone; only a write can distinguish them. Interim
 * responses, which every HTTP/1.1 client must accept, are used for that.
 */
function probe(socket: Socket, traffic: Traffic, count = 0): void {
  // With TLS a client cannot end only one side.
  if (socket.destroyed || !socket.writable || 'encrypted' in socket) return;
  const { current } = traffic;
  const waits = current?.req.complete === true && !current.headersSent;
  if (waits && current.req.httpVersion === '1.1') current.writeContinue();
  setTimeout(() => probe(socket, traffic, count + 1), PROBES_MS[count] ?? PROBES_MS[2]).unref();
}

/**
 * A client that ends its side during a response has usually disconnected, so a response without progress is aborted.
 */
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

/** Returns whether the client may still be sending bytes when its connection is closed after a response. */
function mayBeSending({ current, waiting, hurry, unreadable }: Traffic): boolean {
  if (hurry !== undefined) return true;
  if (current === undefined) return unreadable || waiting.length > 0;
  // A request that was aborted while it was handled: its handler learns of it only from the end of its connection.
  if (!current.headersSent) return false;
  return unreadable || waiting.length > 0 || !current.req.complete;
}

function sayClose(response: ServerResponse | undefined): void {
  if (response !== undefined && !response.headersSent) response.setHeader('Connection', 'close');
}
