/** Content codings, taken off on the side. */
import * as zlib from 'node:zlib';
import type { Frames } from './json-frames.js';

type Codec = zlib.Gunzip | zlib.BrotliDecompress;
/** Some servers leave out the head of what they call deflate, so the first bytes decide. */
type MakeCodec = (first: Buffer) => Codec;

const OPTIONS = { finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: 65_536 };
const ZLIB_METHOD = 8;

/** Codecs give what they have where the stream breaks off. Undefined where the coding is not known. */
function codecOf(coding: string): MakeCodec | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return () => zlib.createGunzip(OPTIONS);
    case 'deflate':
      return ([byte = 0]) =>
        (byte & 0x0f) === ZLIB_METHOD ? zlib.createInflate(OPTIONS) : zlib.createInflateRaw(OPTIONS);
    case 'br':
      return () =>
        zlib.createBrotliDecompress({
          finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
          chunkSize: 65_536,
        });
    default:
      return coding === 'zstd' ? zstdCodec() : undefined;
  }
}

/** Newer Nodes have it. */
function zstdCodec(): MakeCodec | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof create === 'function' ? () => create() as zlib.Gunzip : undefined;
}

const DECODED = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'identity']);
if ('createZstdDecompress' in zlib) DECODED.add('zstd');

/**
 * The client's wish, less what could not be read; undefined where all of it can be. A client that says nothing is not asked:
 * servers then send it plain.
 */
export function readableCodings(rawHeaders: readonly string[]): string | undefined {
  const wishes: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'accept-encoding')
      wishes.push(...(rawHeaders[index + 1] ?? '').split(','));
  }
  const kept = wishes.filter((wish) => DECODED.has((wish.split(';')[0] ?? '').trim().toLowerCase()));
  if (kept.length === wishes.length) return undefined;
  return kept.length === 0 ? 'identity' : kept.map((wish) => wish.trim()).join(', ');
}

/** More is not taken by the codec at once: what it makes of it is read in one go. */
const BATCH_BYTES_MAX = 65_536;
/** With more that waits, the answer itself has to. */
const QUEUE_BYTES_MAX = 1_048_576;

/**
 * Decodes into `frames`. Chunks that come while the codec is busy go to it together: each call costs a trip to another thread,
 * however small the chunk.
 */
export class Decoder {
  /** What came cannot be decoded to its end. */
  failed = false;
  private codec: Codec | undefined;
  private queue: Buffer[] = [];
  private queueBytes = 0;
  private busy = false;
  private ending = false;
  /** The codec takes nothing more. */
  private closed = false;
  private readonly over: Promise<void>;
  private onOver: () => void = () => undefined;
  private waiting: Promise<void> | undefined;
  private onRoom: () => void = () => undefined;

  private constructor(
    private readonly make: MakeCodec,
    private readonly frames: Frames,
    private readonly unread: (bytes: number) => void,
  ) {
    this.over = new Promise((resolve) => {
      this.onOver = resolve;
    });
  }

  /** @param unread takes the number of bytes that could not be decoded */
  static of(coding: string, frames: Frames, unread: (bytes: number) => void): Decoder | undefined {
    const make = codecOf(coding);
    return make === undefined ? undefined : new Decoder(make, frames, unread);
  }

  push(chunk: Buffer): void {
    if (this.closed) this.unread(chunk.length);
    else {
      this.queue.push(chunk);
      this.queueBytes += chunk.length;
      this.pump();
    }
  }

  /** Resolves when more can be taken; undefined where it can now. */
  ready(): Promise<void> | undefined {
    if (this.queueBytes <= QUEUE_BYTES_MAX) return undefined;
    this.waiting ??= new Promise((resolve) => {
      this.onRoom = resolve;
    });
    return this.waiting;
  }

  /** Resolves when all that came is read. */
  end(): Promise<void> {
    if (!this.ending) {
      this.ending = true;
      if (this.closed) this.conclude();
      else this.pump();
    }
    return this.over;
  }

  private pump(): void {
    if (this.busy || this.closed) return;
    const [first] = this.queue;
    if (first !== undefined) {
      this.busy = true;
      this.opened(first).write(this.batch(), () => this.taken());
    } else if (this.ending) {
      this.busy = true;
      if (this.codec === undefined) this.close();
      else this.codec.end();
    }
  }

  private opened(first: Buffer): Codec {
    this.codec ??= this.make(first)
      .on('data', (chunk: Buffer) => this.frames.push(chunk))
      .on('end', () => this.close())
      .on('error', () => {
        this.failed = true;
        this.close();
      });
    return this.codec;
  }

  private batch(): Buffer {
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

  private taken(): void {
    this.busy = false;
    this.makeRoom();
    this.pump();
  }

  private makeRoom(): void {
    if (this.waiting === undefined || (this.queueBytes > QUEUE_BYTES_MAX / 2 && !this.closed)) return;
    this.waiting = undefined;
    this.onRoom();
  }

  /** It has ended, by itself too, or broken down: what was decoded before counts. */
  private close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.queueBytes > 0) this.unread(this.queueBytes);
    this.queue = [];
    this.queueBytes = 0;
    this.makeRoom();
    if (this.ending) this.conclude();
  }

  private conclude(): void {
    this.frames.end();
    this.onOver();
  }
}
