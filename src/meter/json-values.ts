/**
 * Splits a JSON answer into values: a single value, a sequence (JSON lines, JSON text sequences), or the elements of
 * one array.
 */
import { FrameBytes, type Frames } from './frames.js';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.js';

const RECORD_SEPARATOR = 0x1e;
/** Bytes that are allowed between values. */
const BLANKS = new Set([...Buffer.from(' \t\r\n'), RECORD_SEPARATOR]);

export interface JsonValuesOptions {
  /** Gets each value as soon as it is complete. The receiver checks whether it is valid JSON. */
  readonly value: (body: Buffer) => void;
  /** Gets the size of what is not a value, or is too large. */
  readonly unread: (bytes: number) => void;
  /** Gets the size of a truncated value; 0 if only the array is unterminated. */
  readonly cutOff: (bytes: number) => void;
  readonly bytesMax: number;
  /** Whether non-blank bytes outside a value are reported as unread, or skipped. */
  readonly outside: 'refuse' | 'skip';
  /** True: the elements of an outermost array are the values (objects only). False: the array is one value. */
  readonly elements: boolean;
}

/** Finds objects and arrays. */
export class JsonValues implements Frames {
  private depth = 0;
  private inText = false;
  private escaped = false;
  /** For an outermost array whose elements are values. */
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
