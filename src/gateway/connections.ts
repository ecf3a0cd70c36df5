/**
 * What is under way on which connection: one request at a time. What a client sends behind it waits for the answer, so
 * that nothing is forwarded behind an answer that ends the connection. A gateway that closes answers what is under way to
 * its last byte, and then ends the connection.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Turn {
  readonly response: ServerResponse;
  readonly go: () => void;
}

interface Traffic {
  current: ServerResponse | undefined;
  readonly waiting: Turn[];
  /** The answer under way is the last. */
  ending: boolean;
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

  /**
   * A connection on which nothing moves either way for `stallMs` is ended where it is the client's turn: to send the
   * rest of a request, or to take what was written. An upstream that takes its time has bounds of its own.
   */
  watch(server: Server, stallMs: number): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    // Only a server with TLS has this event.
    server.on('secureConnection', (socket: Socket) => this.add(socket));
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
    // What comes behind an answer that ends its connection is not read any more.
    if (traffic === undefined || !socket.writable) return;
    if (traffic.current === undefined) this.begin(socket, traffic, { response, go });
    else if (traffic.waiting.length < WAITING_MAX) traffic.waiting.push({ response, go });
    else socket.destroy();
  }

  /** What is being answered on this connection. */
  currentOn(socket: Socket): ServerResponse | undefined {
    return this.traffic.get(socket)?.current;
  }

  /** The answer under way is the last on its connection. */
  endAfterCurrent(socket: Socket): void {
    const traffic = this.traffic.get(socket);
    if (traffic === undefined) return;
    traffic.ending = true;
    sayClose(traffic.current);
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
    this.traffic.set(socket, { current: undefined, waiting: [], ending: false });
    socket.once('close', () => {
      if (this.sockets.get(client) === socket) this.sockets.delete(client);
    });
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
    for (const socket of this.sockets.values())
      if (this.currentOn(socket) === undefined) socket.destroySoon();
  }

  private isStalled(socket: Socket): boolean {
    const response = this.currentOn(socket);
    if (response === undefined || socket.writableLength > 0) return true;
    const { req: request } = response;
    // Where something lies unread, or nobody reads, it is not the client that is waited for.
    return !request.complete && request.readableFlowing === true && request.readableLength === 0;
  }
}

function sayClose(response: ServerResponse | undefined): void {
  if (response !== undefined && !response.headersSent) response.setHeader('Connection', 'close');
}
