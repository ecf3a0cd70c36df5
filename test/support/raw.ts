/** A client that sends bytes and shows the bytes that come back: for what a well-behaved one never does or notices. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  /** Flat, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** False where the connection ended before the body did. */
  readonly complete: boolean;
}

const HEAD_END = '\r\n\r\n';

export class RawClient {
  private readonly chunks: Buffer[] = [];
  private pending: Buffer = Buffer.alloc(0);
  /** Bytes in `chunks`: joined only when they are looked at. */
  private waiting = 0;
  /** The connection ended or was reset by the peer. */
  closed = false;
  /** 'ECONNRESET' and the like; '' after an orderly end. */
  errorCode = '';

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.waiting += chunk.length;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Text is written as latin1: one character, one byte. */
  write(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Everything received and not yet taken by `answer`. */
  received(): Buffer {
    if (this.waiting > 0) this.pending = Buffer.concat([this.pending, ...this.chunks.splice(0)]);
    this.waiting = 0;
    return this.pending;
  }

  /** Waits until what came satisfies `enough`, or the connection has ended. */
  async until(enough: (received: Buffer) => boolean): Promise<Buffer> {
    while (!enough(this.received()) && !this.closed) await nextOf(this.socket);
    return this.received();
  }

  async untilLength(bytes: number): Promise<Buffer> {
    while (this.pending.length + this.waiting < bytes && !this.closed) await nextOf(this.socket);
    return this.received();
  }

  async untilClosed(): Promise<Buffer> {
    return this.untilLength(Number.POSITIVE_INFINITY);
  }

  /** Takes the next final answer off the connection. `method` decides whether a body follows the head. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    for (;;) {
      const all = await this.until((received) => received.includes(HEAD_END));
      const end = all.indexOf(HEAD_END);
      if (end === -1) throw new Error(`no answer but ${JSON.stringify(all.toString('latin1'))}`);
      const head = parseHead(all.subarray(0, end).toString('latin1'));
      this.pending = all.subarray(end + HEAD_END.length);
      if (head.status >= 200) return { ...head, ...(await this.body(head, method)) };
    }
  }

  private async body(head: Head, method: string): Promise<{ body: Buffer; complete: boolean }> {
    if (method === 'HEAD' || head.status === 204 || head.status === 304) return take(this, 0);
    const length = headerOf(head.rawHeaders, 'content-length');
    if (length !== undefined) return take(this, Number(length));
    if (headerOf(head.rawHeaders, 'transfer-encoding') === 'chunked') return this.chunkedBody();
    const body = await this.untilClosed();
    this.pending = Buffer.alloc(0);
    return { body, complete: this.errorCode === '' };
  }

  private async chunkedBody(): Promise<{ body: Buffer; complete: boolean }> {
    const parts: Buffer[] = [];
    for (;;) {
      const line = await takeLine(this);
      if (line === undefined) return { body: Buffer.concat(parts), complete: false };
      const size = Number.parseInt(line, 16);
      const { body, complete } = await take(this, size + 2);
      parts.push(body.subarray(0, size));
      if (size === 0 || !complete) return { body: Buffer.concat(parts), complete };
    }
  }

  /** Removes the first bytes of what is pending. */
  shift(count: number): Buffer {
    const all = this.received();
    this.pending = all.subarray(count);
    return all.subarray(0, count);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  return headersOf(rawHeaders, name)[0];
}

export function headersOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status = '', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first) ?? [];
  const rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), reason, rawHeaders };
}

async function take(client: RawClient, count: number): Promise<{ body: Buffer; complete: boolean }> {
  await client.untilLength(count);
  const body = client.shift(count);
  return { body, complete: body.length === count };
}

async function takeLine(client: RawClient): Promise<string | undefined> {
  const all = await client.until((received) => received.includes('\r\n'));
  const end = all.indexOf('\r\n');
  if (end === -1) return undefined;
  return client.shift(end + 2).toString('latin1', 0, end);
}

async function nextOf(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const heard = (): void => {
      socket.off('data', heard).off('close', heard);
      resolve();
    };
    socket.on('data', heard).on('close', heard);
  });
}
