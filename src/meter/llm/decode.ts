/** Content codings, taken off on the side. */
import * as zlib from 'node:zlib';
import type { Frames } from './json-frames.js';

/** A decoder that gives what it has where the stream breaks off. */
function decoderOf(coding: string): zlib.Gunzip | zlib.BrotliDecompress | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case 'deflate':
      return zlib.createInflate({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case 'br':
      return zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
    default:
      return coding === 'zstd' ? zstdDecoder() : undefined;
  }
}

/** Newer Nodes have it. */
function zstdDecoder(): zlib.Gunzip | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof create === 'function' ? (create() as zlib.Gunzip) : undefined;
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

/** Decodes into `frames`. Undefined where the coding is not known. */
export class Decoder {
  private over: Promise<void> | undefined;

  private constructor(
    private readonly stream: zlib.Gunzip | zlib.BrotliDecompress,
    private readonly frames: Frames,
  ) {
    // What was decoded before a fault counts; the fault itself is one of the upstream's.
    this.stream.on('data', (chunk: Buffer) => frames.push(chunk)).on('error', () => undefined);
  }

  static of(coding: string, frames: Frames): Decoder | undefined {
    const stream = decoderOf(coding);
    return stream === undefined ? undefined : new Decoder(stream, frames);
  }

  push(chunk: Buffer): void {
    if (!this.stream.destroyed) this.stream.write(chunk);
  }

  /** Resolves when all that came is read. */
  end(): Promise<void> {
    this.over ??= new Promise((resolve) => {
      const { stream } = this;
      const finish = () => {
        this.frames.end();
        resolve();
      };
      if (stream.destroyed || stream.readableEnded) finish();
      else {
        stream.once('close', finish);
        stream.end();
      }
    });
    return this.over;
  }
}
