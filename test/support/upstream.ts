/**
 * A real upstream that does what a request's `x-test-…` fields ask, and keeps a log of what it truly received and
 * served: the other half of every claim about charges.
 *
 * | field | what it does |
 * |---|---|
 * | `x-test-status: 503` | the status; else 200 |
 * | `x-test-reason: text` | the reason phrase |
 * | `x-test-fields: ["a","b"]` | further fields of the answer, flat JSON |
 * | `x-test-interim: 103` | an interim answer before |
 * | `x-test-bytes: n` | a body of n bytes; else a small JSON text |
 * | `x-test-echo: 1` | sends the request's body back while it comes |
 * | `x-test-chunked: 1` | no Content-Length |
 * | `x-test-trailers: 1` | chunked, with a trailer field |
 * | `x-test-delay-ms: n` | waits before the head |
 * | `x-test-hold: head` or `body` | waits for `release()` before the head, or after it |
 * | `x-test-cut: n` | breaks off after n bytes of the body |
 * | `x-test-reset: 1` | resets the connection instead of an answer |
 * | `x-test-early: 1` | answers without reading the body |
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface UpstreamEntry {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  /** What came of the body: all of its length and hash, and its beginning. */
  bodyBytes: number;
  bodyHash: string;
  body: string;
  /** The request came to its end. */
  received: boolean;
  /** 0 until an answer was begun. */
  status: number;
  bytesWritten: number;
  /** `whole`: handed over to the last byte. `cut`: broken off here. `aborted`: the peer left. */
  served: 'open' | 'whole' | 'cut' | 'aborted';
}

export type UpstreamHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  entry: UpstreamEntry,
) => void | Promise<void>;

export interface UpstreamOptions {
  /** In place of the `x-test-…` fields. */
  readonly handler?: UpstreamHandler;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
}

const BODY_KEPT_BYTES = 64 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'quotagate');

export class TestUpstream {
  readonly log: UpstreamEntry[] = [];
  connections = 0;
  private readonly sockets = new Map<Socket, number>();
  private readonly held = new Set<() => void>();
  private releasedUpTo = 0;
  private readonly watchers = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    private readonly scheme: string,
    private readonly handler: UpstreamHandler,
  ) {
    server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.set(socket, this.connections);
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.heard();
      });
    });
    server.on('request', (request, response) => void this.take(request, response));
    // An Expect that reached the upstream is logged like any request, and not answered by Node before.
    server.on('checkContinue', (request, response) => void this.take(request, response));
  }

  static async start(options: UpstreamOptions = {}): Promise<TestUpstream> {
    const { tls, port = 0 } = options;
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const handler =
      options.handler ?? ((request, response, entry) => upstream.obey(request, response, entry));
    const upstream = new TestUpstream(server, tls === undefined ? 'http' : 'https', handler);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://${this.scheme === 'https' ? 'localhost' : '127.0.0.1'}:${this.port}`;
  }

  /** Connections that are open now; `connections` counts all there ever were. */
  get open(): number {
    return this.sockets.size;
  }

  /** Lets go of every request in the log that waits by `x-test-hold`, or is about to. */
  release(): void {
    this.releasedUpTo = this.log.length;
    for (const go of this.held) go();
    this.held.clear();
  }

  /** Resolves once `seen` holds; looked at after every event of the upstream. */
  async until(seen: (upstream: TestUpstream) => boolean): Promise<void> {
    while (!seen(this)) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.watchers.delete(look);
          resolve();
        };
        this.watchers.add(look);
      });
    }
  }

  /** The connections that are open now end; new ones are taken. */
  dropConnections(): void {
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.dropConnections();
    await closed;
  }

  private heard(): void {
    for (const look of this.watchers) look();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry: UpstreamEntry = {
      method: request.method ?? '',
      target: request.url ?? '',
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      connection: this.sockets.get(request.socket) ?? 0,
      bodyBytes: 0,
      bodyHash: '',
      body: '',
      received: false,
      status: 0,
      bytesWritten: 0,
      served: 'open',
    };
    this.log.push(entry);
    response.on('close', () => {
      entry.status = response.headersSent ? response.statusCode : 0;
      if (entry.served === 'open') entry.served = response.writableFinished ? 'whole' : 'aborted';
      this.heard();
    });
    request.on('error', () => this.heard());
    this.heard();
    await this.handler(request, response, entry);
  }

  private async obey(
    request: IncomingMessage,
    response: ServerResponse,
    entry: UpstreamEntry,
  ): Promise<void> {
    const asked = (name: string): string | undefined => request.headers[`x-test-${name}`]?.toString();
    if (asked('reset') !== undefined) {
      entry.served = 'cut';
      request.socket.resetAndDestroy();
      return;
    }
    if (asked('early') === undefined) this.readBody(request, entry);
    if (asked('early') === undefined && asked('echo') === undefined)
      await this.until(() => isOver(request, entry));
    if (asked('delay-ms') !== undefined) await delay(Number(asked('delay-ms')));
    if (asked('hold') === 'head') await this.hold(entry);
    if (response.destroyed) return;
    if (asked('interim') === '103') response.writeEarlyHints({ link: '</a>; rel=preload' });
    await this.writeAnswer(request, response, entry, asked);
  }

  private async writeAnswer(
    request: IncomingMessage,
    response: ServerResponse,
    entry: UpstreamEntry,
    asked: (name: string) => string | undefined,
  ): Promise<void> {
    const status = Number(asked('status') ?? 200);
    const small = Buffer.from(JSON.stringify({ method: entry.method, target: entry.target }));
    const bytes = Number(asked('bytes') ?? small.length);
    const bare = status === 204 || status === 304;
    const fields: string[] = JSON.parse(asked('fields') ?? '[]');
    const counted = !bare && asked('chunked') === undefined && asked('echo') === undefined;
    if (counted && asked('trailers') === undefined) fields.push('content-length', String(bytes));
    if (asked('trailers') !== undefined) fields.push('trailer', 'x-checksum');
    const reason = asked('reason');
    if (reason === undefined) response.writeHead(status, fields);
    else response.writeHead(status, reason, fields);
    response.flushHeaders();
    entry.status = status;
    this.heard();
    if (asked('hold') === 'body') await this.hold(entry);
    if (asked('echo') !== undefined) {
      request.pipe(response);
      return;
    }
    const cut = asked('cut');
    if (!bare && entry.method !== 'HEAD') {
      const source = asked('bytes') === undefined ? small : PIECE;
      await this.writeBody(response, entry, source, Math.min(bytes, Number(cut ?? bytes)));
    }
    if (cut !== undefined) {
      entry.served = 'cut';
      response.socket?.destroySoon();
      return;
    }
    if (asked('trailers') !== undefined) response.addTrailers({ 'x-checksum': 'abc' });
    response.end();
  }

  private async writeBody(
    response: ServerResponse,
    entry: UpstreamEntry,
    source: Buffer,
    bytes: number,
  ): Promise<void> {
    while (entry.bytesWritten < bytes && !response.destroyed) {
      const piece = source.subarray(0, Math.min(source.length, bytes - entry.bytesWritten));
      entry.bytesWritten += piece.length;
      const writable = response.write(piece);
      this.heard();
      if (!writable) await drained(response);
    }
  }

  private readBody(request: IncomingMessage, entry: UpstreamEntry): void {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      if (entry.bodyBytes < BODY_KEPT_BYTES) entry.body += chunk.toString('latin1');
      entry.bodyBytes += chunk.length;
      this.heard();
    });
    request.on('end', () => {
      entry.received = true;
      entry.bodyHash = hash.digest('hex');
      this.heard();
    });
    request.on('close', () => this.heard());
  }

  private async hold(entry: UpstreamEntry): Promise<void> {
    if (this.log.indexOf(entry) < this.releasedUpTo) return;
    await new Promise<void>((resolve) => this.held.add(resolve));
  }
}

/** The first `bytes` of a body that `x-test-bytes` asks for, as a hash. */
export function hashOfBytes(bytes: number): string {
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= PIECE.length)
    hash.update(PIECE.subarray(0, Math.min(left, PIECE.length)));
  return hash.digest('hex');
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const heard = (): void => {
      response.off('drain', heard).off('close', heard);
      resolve();
    };
    response.on('drain', heard).on('close', heard);
  });
}

function isOver(request: IncomingMessage, entry: UpstreamEntry): boolean {
  return entry.received || request.destroyed;
}
