/** A JSON answer taken apart: one document, or one behind the other (JSON lines, JSON text sequences), or in one array. */
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.js';

const BACKSLASH = 0x5c;
const RECORD_SEPARATOR = 0x1e;
const SPACE = 0x20;

/** What an array has between its elements. */
const ARRAY_BYTES = new Set([OPEN_ARRAY, COMMA, CLOSE_ARRAY]);

export interface DocumentsTo {
  document(body: Buffer): void;
  /** Something is no document, or too large. */
  broken(): void;
}

/** Objects and arrays, each as soon as it is complete; whether they are sound JSON is for those who read them. */
export class JsonDocuments {
  private depth = 0;
  private inText = false;
  private escaped = false;
  private parts: Buffer[] = [];
  private bytes = 0;
  private closed = false;

  constructor(
    private readonly to: DocumentsTo,
    private readonly documentBytesMax: number,
    /** They stand in one array. */
    private readonly inArray = false,
  ) {}

  push(chunk: Buffer): void {
    let from = this.depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.inText) this.textByte(byte);
      else if (this.depth === 0 && this.inArray && ARRAY_BYTES.has(byte)) this.arrayByte(byte);
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (this.depth === 0) from = at;
        this.depth += 1;
      } else if (this.depth === 0) {
        if (byte > SPACE || (byte < SPACE && !isBlank(byte))) this.to.broken();
      } else if (byte === QUOTE) this.inText = true;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.depth -= 1;
        if (this.depth > 0) continue;
        this.keep(chunk.subarray(from, at + 1));
        this.emit();
        from = -1;
      }
    }
    if (from >= 0) this.keep(chunk.subarray(from));
  }

  end(): void {
    if (this.depth > 0 || (this.inArray && !this.closed)) this.to.broken();
  }

  private arrayByte(byte: number): void {
    if (byte === CLOSE_ARRAY) this.closed = true;
  }

  private textByte(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  private keep(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.bytes <= this.documentBytesMax) this.parts.push(bytes);
    else this.parts = [];
  }

  private emit(): void {
    if (this.bytes > this.documentBytesMax) this.to.broken();
    else this.to.document(Buffer.concat(this.parts));
    this.parts = [];
    this.bytes = 0;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === RECORD_SEPARATOR;
}
