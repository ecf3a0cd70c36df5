/** JSON values of an answer: one, or one behind the other (JSON lines, JSON text sequences), or the elements of one array. */
import { FrameBytes, type Frames } from './frames.js';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.js';

const RECORD_SEPARATOR = 0x1e;
/** What may stand between values. */
const BLANKS = new Set([...Buffer.from(' \t\r\n'), RECORD_SEPARATOR]);

export interface JsonValuesOptions {
  /** Takes each value as soon as it is complete; whether it is sound JSON is for those who read it. */
  readonly value: (body: Buffer) => void;
  /** Takes the size of what is no value, or is too large. */
  readonly unread: (bytes: number) => void;
  /** Takes the size of what the end has cut, 0 where it is the array alone. */
  readonly cutOff: (bytes: number) => void;
  readonly bytesMax: number;
  /** What stands outside a value and is not blank is unread, or skipped. */
  readonly outside: 'refuse' | 'skip';
  /** The elements of an outermost array are values (only objects are); else the array is one. */
  readonly elements: boolean;
}

/** Finds objects and arrays. */
export class JsonValues implements Frames {
  private depth = 0;
  private inText = false;
  private escaped = false;
  /** Of an outermost array whose elements are values. */
  private inArray = false;
  private readonly kept: FrameBytes;

  constructor(private readonly options: JsonValuesOptions) {
    this.kept = new FrameBytes(options.bytesMax);
  }

  push(chunk: Buffer): void {
    let from = this.depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.inText) this.textByte(byte);
      else if (this.depth === 0) {
        if (this.opens(byte)) {
          from = at;
          this.depth = 1;
        } else this.outsideByte(byte);
      } else if (byte === QUOTE) this.inText = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.depth -= 1;
        if (this.depth > 0) continue;
        this.kept.add(chunk.subarray(from, at + 1));
        this.emit();
        from = -1;
      }
    }
    if (from >= 0) this.kept.add(chunk.subarray(from));
  }

  end(): void {
    const { size } = this.kept;
    const isKept = this.kept.take() !== undefined;
    if (!isKept) this.options.unread(size);
    else if (this.depth > 0 || this.inArray) this.options.cutOff(size);
  }

  private opens(byte: number): boolean {
    return byte === OPEN_OBJECT || (byte === OPEN_ARRAY && !this.options.elements);
  }

  private outsideByte(byte: number): void {
    const { elements, outside, unread } = this.options;
    if (elements && byte === OPEN_ARRAY) this.inArray = true;
    else if (this.inArray && byte === CLOSE_ARRAY) this.inArray = false;
    else if (outside === 'refuse' && !BLANKS.has(byte) && !(this.inArray && byte === COMMA)) unread(1);
  }

  private textByte(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  private emit(): void {
    const { size } = this.kept;
    const body = this.kept.take();
    if (body === undefined) this.options.unread(size);
    else this.options.value(body);
  }
}
