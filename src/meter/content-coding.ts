/**
 * Decodes the Content-Encoding of an answer for the meter. The client gets the original bytes. All readers of answers
 * use it.
 */
import * as zlib from 'node:zlib';
import type { Frames } from './frames.js';

/** Takes the encoded bytes of a body and passes on the decoded ones. */
export interface BodyReader {
  /** Part of the body could not be decoded. */
  readonly failed: boolean;
  push(chunk: Buffer): void;
  /** Resolves when the next chunk may come; undefined: now. */
  ready(): Promise<void> | undefined;
  /** Resolves when the whole body is read; undefined: it is read already. */
  end(): Promise<void> | undefined;
}

type Codec = zlib.Gunzip | zlib.BrotliDecompress;
/** Some servers send raw deflate without the zlib header, so the first byte decides. */
type MakeCodec = (first: Buffer) => Codec;

const OPTIONS = { finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: 65_536 };
const ZLIB_METHOD = 8;

/** With this flush mode, a truncated stream still yields the bytes decoded so far. */
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
/** Only newer versions of Node have zstd. */
const createZstd: unknown = Reflect.get(zlib, 'createZstdDecompress');
if (typeof createZstd === 'function') CODECS.set('zstd', () => createZstd() as zlib.Gunzip);

/** Limits the chain: each coding can expand its input a thousandfold. */
const CHAIN_MAX = 3;

/**
 * Returns the client's Accept-Encoding without the codings that this process cannot decode; undefined if it need not
 * change. If the client sends no Accept-Encoding, none is added: servers then send plain bodies.
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
 * Opens the reader of a body. `contentEncoding`: all values of the field in the order they were applied, '' if absent.
 * `unread` receives the number of bytes that could not be decoded.
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

/** The coding is unknown, or there are too many. */
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

/** Limits one write to a codec, because its output is handled in one turn of the event loop. */
const BATCH_BYTES_MAX = 65_536;
/** Above this queue size, the upstream has to wait. */
const QUEUE_BYTES_MAX = 1_048_576;

/** One coding of a chain. `unreadBytes`: bytes that its codec got but did not decode. */
class Stage {
  given = 0;

  constructor(readonly codec: Codec) {}

  get unreadBytes(): number {
    return this.given - this.codec.bytesWritten;
  }
}

/**
 * Decodes a chain of codings. Chunks that arrive while the first codec is busy are written together: each write costs a
 * thread switch, however small the chunk.
 */
class Decoder implements BodyReader {
  failed = false;
  private stages: readonly Stage[] = [];
  private queue: Buffer[] = [];
  private queueBytes = 0;
  private busy = false;
  private ending = false;
  /** The codecs accept no more input. */
  private closed = false;
  private readonly done: Promise<void>;
  private onDone: () => void = () => undefined;
  private waiting: Promise<void> | undefined;
  private onReady: () => void = () => undefined;

  /**
   * @param chain the coding that was applied last comes first
   */
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

  /** Creates the codec of a stage when its first bytes arrive. */
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

  /** Passes bytes to the next stage. This stage pauses while the next one is full. */
  private relay(index: number, from: Stage, chunk: Buffer): void {
    const next = this.stages[index + 1] ?? this.open(index + 1, chunk);
    if (next === undefined || this.closed) return;
    next.given += chunk.length;
    if (next.codec.write(chunk)) return;
    from.codec.pause();
    next.codec.once('drain', () => from.codec.resume());
  }

  /** Bytes decoded before an error still count, so the later stages end normally. */
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

  /** The last codec ended (perhaps before its input did) or failed. Reports the bytes that no codec decoded. */
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
