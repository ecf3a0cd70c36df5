/** Decodes an answer's Content-Encoding beside the bytes that pass to the client. All readers of answers use it. */
import * as zlib from 'node:zlib';
import type { Frames } from './frames.js';

/** Takes the bytes of a body as they come, in whatever coding, and passes the plain ones on. */
export interface BodyReader {
  /** Some of the body could not be decoded. */
  readonly failed: boolean;
  push(chunk: Buffer): void;
  /** Resolves when the next chunk may come; undefined: now. */
  ready(): Promise<void> | undefined;
  /** Resolves when all of the body is read; undefined: it is. */
  end(): Promise<void> | undefined;
}

type Codec = zlib.Gunzip | zlib.BrotliDecompress;
/** Some servers send raw deflate without the zlib header, so the first bytes decide. */
type MakeCodec = (first: Buffer) => Codec;

const OPTIONS = { finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: 65_536 };
const ZLIB_METHOD = 8;

/** A codec of a stream that breaks off returns what it has decoded. */
const CODECS = new Map<string, MakeCodec>([
  ['gzip', () => zlib.createGunzip(OPTIONS)],
  ['x-gzip', () => zlib.createGunzip(OPTIONS)],
  [
    'deflate',
    ([byte = 0]) =>
      (byte & 0x0f) === ZLIB_METHOD ? zlib.createInflate(OPTIONS) : zlib.createInflateRaw(OPTIONS),
  ],
  [
    'br',
    () =>
      zlib.createBrotliDecompress({
        finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
        chunkSize: 65_536,
      }),
  ],
]);
/** Only newer versions of Node have it. */
const createZstd: unknown = Reflect.get(zlib, 'createZstdDecompress');
if (typeof createZstd === 'function') CODECS.set('zstd', () => createZstd() as zlib.Gunzip);

/** Each coding of a chain can expand its input a thousand times. */
const CHAIN_MAX = 3;

/**
 * The client's Accept-Encoding without the codings that cannot be decoded here; undefined where it need not change. A client that
 * sends no Accept-Encoding gets none: servers then send plain bodies.
 */
export function readableCodings(rawHeaders: readonly string[]): string | undefined {
  const wishes: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'accept-encoding')
      wishes.push(...(rawHeaders[index + 1] ?? '').split(','));
  }
  const kept = wishes.filter((wish) => {
    const name = (wish.split(';')[0] ?? '').trim().toLowerCase();
    return name === 'identity' || CODECS.has(name);
  });
  if (kept.length === wishes.length) return undefined;
  return kept.length === 0 ? 'identity' : kept.map((wish) => wish.trim()).join(', ');
}

/**
 * Opens the reader of a body. `contentEncoding`: all values of the field, in the order they were applied, '' where there is none.
 * `unread` takes the number of bytes that could not be decoded.
 */
export function openBody(
  contentEncoding: string,
  plain: Frames,
  unread: (bytes: number) => void,
): BodyReader {
  const names = contentEncoding.toLowerCase().split(',');
  const codings = names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
  if (codings.length === 0) return new PlainBody(plain);
  const chain = codings.map((name) => CODECS.get(name)).filter((make) => make !== undefined);
  if (chain.length < codings.length || chain.length > CHAIN_MAX) return new UnreadableBody(unread);
  return new Decoder(chain.reverse(), plain, unread);
}

class PlainBody implements BodyReader {
  readonly failed = false;

  constructor(private readonly plain: Frames) {}

  push(chunk: Buffer): void {
    this.plain.push(chunk);
  }

  ready(): undefined {
    return undefined;
  }

  end(): undefined {
    this.plain.end();
    return undefined;
  }
}

/** In a coding that is not known, or in too many. */
class UnreadableBody implements BodyReader {
  readonly failed = true;

  constructor(private readonly unread: (bytes: number) => void) {}

  push(chunk: Buffer): void {
    this.unread(chunk.length);
  }

  ready(): undefined {
    return undefined;
  }

  end(): undefined {
    return undefined;
  }
}

/** A codec takes at most this much in one write: the output of a write is read in one turn. */
const BATCH_BYTES_MAX = 65_536;
/** When more than this waits, the answer has to wait too. */
const QUEUE_BYTES_MAX = 1_048_576;

/** One coding of a chain: bytes that reached its codec but were not decoded could not be read. */
class Stage {
  given = 0;

  constructor(readonly codec: Codec) {}

  get unreadBytes(): number {
    return this.given - this.codec.bytesWritten;
  }
}

/**
 * Decodes a chain of codings. Chunks that come while the first codec is busy go to it in one write: each write costs a trip to
 * another thread, however small the chunk.
 */
class Decoder implements BodyReader {
  failed = false;
  private stages: readonly Stage[] = [];
  private queue: Buffer[] = [];
  private queueBytes = 0;
  private busy = false;
  private ending = false;
  /** The codecs take nothing more. */
  private closed = false;
  private readonly done: Promise<void>;
  private onDone: () => void = () => undefined;
  private waiting: Promise<void> | undefined;
  private onReady: () => void = () => undefined;

  /** @param chain the coding that was applied last comes first */
  constructor(
    private readonly chain: readonly MakeCodec[],
    private readonly plain: Frames,
    private readonly unread: (bytes: number) => void,
  ) {
    this.done = new Promise((resolve) => {
      this.onDone = resolve;
    });
  }

  push(chunk: Buffer): void {
    if (this.closed) this.lose(chunk.length);
    else {
      this.queue.push(chunk);
      this.queueBytes += chunk.length;
      this.pump();
    }
  }

  ready(): Promise<void> | undefined {
    if (this.queueBytes <= QUEUE_BYTES_MAX) return undefined;
    this.waiting ??= new Promise((resolve) => {
      this.onReady = resolve;
    });
    return this.waiting;
  }

  end(): Promise<void> {
    if (!this.ending) {
      this.ending = true;
      if (this.closed) this.conclude();
      else this.pump();
    }
    return this.done;
  }

  private pump(): void {
    if (this.busy || this.closed) return;
    const [first] = this.queue;
    if (first !== undefined) {
      this.busy = true;
      this.write(first);
    } else if (this.ending) {
      this.busy = true;
      const [stage] = this.stages;
      if (stage === undefined) this.close();
      else stage.codec.end();
    }
  }

  private write(first: Buffer): void {
    if (this.stages.length === 0) this.open(0, first);
    const [stage] = this.stages;
    const batch = this.nextBatch();
    if (stage === undefined) return;
    stage.given += batch.length;
    stage.codec.write(batch, () => {
      this.busy = false;
      this.release();
      this.pump();
    });
  }

  /** Opens the codec of a stage by the first bytes that reach it. */
  private open(index: number, first: Buffer): Stage | undefined {
    const make = this.chain[index];
    if (make === undefined) return undefined;
    const stage = new Stage(make(first));
    this.stages = [...this.stages, stage];
    const isLast = index === this.chain.length - 1;
    stage.codec.on('data', (chunk: Buffer) => {
      if (isLast) this.plain.push(chunk);
      else this.relay(index, stage, chunk);
    });
    stage.codec.on('end', () => this.stageEnded(index));
    stage.codec.on('error', () => {
      this.failed = true;
      this.stageEnded(index);
    });
    return stage;
  }

  /** Into the next stage; while that is full, this one pauses. */
  private relay(index: number, from: Stage, chunk: Buffer): void {
    const next = this.stages[index + 1] ?? this.open(index + 1, chunk);
    if (next === undefined || this.closed) return;
    next.given += chunk.length;
    if (next.codec.write(chunk)) return;
    from.codec.pause();
    next.codec.once('drain', () => from.codec.resume());
  }

  /** What was decoded before a fault counts: the stages behind it end regularly. */
  private stageEnded(index: number): void {
    const next = this.stages[index + 1];
    if (next === undefined || this.closed) this.close();
    else next.codec.end();
  }

  private nextBatch(): Buffer {
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && (count === 0 || bytes < BATCH_BYTES_MAX)) {
      bytes += this.queue[count]?.length ?? 0;
      count += 1;
    }
    const parts = this.queue.splice(0, count);
    this.queueBytes -= bytes;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, bytes);
  }

  private release(): void {
    if (this.waiting === undefined || (this.queueBytes > QUEUE_BYTES_MAX / 2 && !this.closed)) return;
    this.waiting = undefined;
    this.onReady();
  }

  /** The last codec has ended, also before its input did, or failed. Bytes that no codec took are reported. */
  private close(): void {
    if (this.closed) return;
    this.closed = true;
    const undecoded = this.stages.reduce((sum, { unreadBytes }) => sum + unreadBytes, this.queueBytes);
    if (undecoded > 0) this.lose(undecoded);
    for (const { codec } of this.stages) codec.destroy();
    this.queue = [];
    this.queueBytes = 0;
    this.release();
    if (this.ending) this.conclude();
  }

  private lose(bytes: number): void {
    this.failed = true;
    this.unread(bytes);
  }

  private conclude(): void {
    this.plain.end();
    this.onDone();
  }
}
