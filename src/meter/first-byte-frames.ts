/** An answer of which the first byte decides how it comes: what a server calls it is not always so, and a request can choose it. */
import type { Frames, StreamFrames } from './frames.js';

const SPACE = 0x20;
/** An object, or an array. */
const BEGINS_JSON = new Set(Buffer.from('{['));
/** A comment, or one of the fields `data`, `event`, `id` and `retry`. */
const BEGINS_EVENTS = new Set(Buffer.from(':deir'));
const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf]);

export interface Kinds {
  /** Whatever is no JSON is events. */
  readonly isStream: boolean;
  events(): StreamFrames;
  /** Takes the first byte. */
  json(first: number): Frames;
}

export class FirstByteFrames implements StreamFrames {
  private opened: Frames | undefined;
  private events: StreamFrames | undefined;
  private bytes = 0;
  /** Blanks, and a byte order mark. */
  private before: Buffer[] = [];
  private isMarked = false;

  constructor(private readonly kinds: Kinds) {}

  /** JSON has no place where it could be cut. */
  get isJson(): boolean {
    return this.opened !== undefined && this.events === undefined;
  }

  get boundary(): number {
    return this.events === undefined ? this.bytes : this.events.boundary;
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.opened !== undefined) this.opened.push(chunk);
    else this.begin(chunk);
  }

  end(): void {
    this.opened?.end();
  }

  private begin(chunk: Buffer): void {
    const at = chunk.findIndex((byte) => byte > SPACE && !BYTE_ORDER_MARK.has(byte));
    this.isMarked ||= chunk.some((byte) => BYTE_ORDER_MARK.has(byte));
    if (at < 0) {
      this.before.push(chunk);
      return;
    }
    const first = chunk[at] ?? 0;
    const isEvents = this.kinds.isStream || this.isMarked || BEGINS_EVENTS.has(first);
    if (!BEGINS_JSON.has(first) && isEvents) {
      this.events = this.kinds.events();
      this.opened = this.events;
      // Its events know where they stood in the stream.
      for (const one of this.before) this.events.push(one);
      this.events.push(chunk);
    } else {
      this.opened = this.kinds.json(first);
      this.opened.push(chunk.subarray(at));
    }
    this.before = [];
  }
}
