/** Splits a stream of Amazon event messages into whole messages, wherever the network has split them. */
import { type AmazonEvent, lengthOf, PRELUDE_BYTES, readAmazonEvent } from '../../http/amazon-event.js';
import type { StreamFrames } from '../frames.js';

export class AmazonFrames implements StreamFrames {
  boundary = 0;
  private parts: Buffer[] = [];
  private bytes = 0;
  /** The bytes needed before parsing can continue. */
  private needed = PRELUDE_BYTES;
  /** The stream is not, or no longer, in this format. */
  private broken = false;

  constructor(
    private readonly read: (event: AmazonEvent) => void,
    private readonly unread: (bytes: number) => void,
    private readonly cutOff: (bytes: number) => void,
  ) {}

  push(chunk: Buffer): void {
    if (this.broken) {
      this.unread(chunk.length);
      return;
    }
    this.parts.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes < this.needed) return;
    const [first = chunk] = this.parts;
    const rest = this.take(this.parts.length === 1 ? first : Buffer.concat(this.parts));
    this.parts = rest.length === 0 ? [] : [rest];
    this.bytes = rest.length;
  }

  end(): void {
    if (this.bytes > 0) this.cutOff(this.bytes);
    this.parts = [];
    this.bytes = 0;
  }

  private take(all: Buffer): Buffer {
    let rest = all;
    while (rest.length >= PRELUDE_BYTES) {
      const length = lengthOf(rest);
      if (length === undefined) {
        this.broken = true;
        this.unread(rest.length);
        return rest.subarray(rest.length);
      }
      this.needed = length;
      if (rest.length < length) return rest;
      this.message(rest.subarray(0, length));
      this.boundary += length;
      this.needed = PRELUDE_BYTES;
      rest = rest.subarray(length);
    }
    return rest;
  }

  private message(bytes: Buffer): void {
    const event = readAmazonEvent(bytes);
    if (event === undefined) this.unread(bytes.length);
    else this.read(event);
  }
}
