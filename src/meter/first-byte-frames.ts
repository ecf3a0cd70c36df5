/** Chooses the framing of an answer by its first byte: Content-Type is not reliable, and a request can influence it. */
import type { Frames, StreamFrames } from './frames.js';

const SPACE = 0x20;
/** The start of an object or an array. */
const BEGINS_JSON = new Set(Buffer.from('{['));
/** The start of a comment, or of the field `data`, `event`, `id` or `retry`. */
const BEGINS_EVENTS = new Set(Buffer.from(':deir'));
const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf]);

export interface FrameFactories {
  /** Anything that is not JSON is read as events. */
  readonly isStream: boolean;
  events(): StreamFrames;
  /** Gets the first byte. */
  json(first: number): Frames;
}

export class FirstByteFrames implements StreamFrames {
  private opened: Frames | undefined;
  private events: StreamFrames | undefined;
  private bytes = 0;
  /** White space and a byte order mark before the first byte. */
  private leading: Buffer[] = [];
  private hasByteOrderMark = false;

  constructor(private readonly factories: FrameFactories) {}

  /** A JSON answer cannot be cut anywhere. */
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
    this.hasByteOrderMark ||= chunk.some((byte) => BYTE_ORDER_MARK.has(byte));
    if (at < 0) {
      this.leading.push(chunk);
      return;
    }
    const first = chunk[at] ?? 0;
    const isEvents = this.factories.isStream || this.hasByteOrderMark || BEGINS_EVENTS.has(first);
    if (!BEGINS_JSON.has(first) && isEvents) {
      this.events = this.factories.events();
      this.opened = this.events;
      // Events report their position in the stream, so the leading bytes are passed too.
      for (const one of this.leading) this.events.push(one);
      this.events.push(chunk);
    } else {
      this.opened = this.factories.json(first);
      this.opened.push(chunk.subarray(at));
    }
    this.leading = [];
  }
}
