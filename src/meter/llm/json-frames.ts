/** JSON answers cut into documents: a body is one, a stream that comes as an array has one an element. */

/** A document larger than this is not read. */
const DOCUMENT_BYTES_MAX = 8_388_608;

/** Takes an answer apart. */
export interface Frames {
  push(chunk: Buffer): void;
  /** The answer is over. */
  end(): void;
}

type OnDocument = (document: Buffer) => void;
type OnTooLarge = (bytes: number) => void;

export class WholeJson implements Frames {
  private chunks: Buffer[] = [];
  private bytes = 0;

  constructor(
    private readonly onDocument: OnDocument,
    private readonly onTooLarge: OnTooLarge,
    private readonly bytesMax = DOCUMENT_BYTES_MAX,
  ) {}

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes <= this.bytesMax) this.chunks.push(chunk);
    else this.chunks = [];
  }

  end(): void {
    if (this.bytes > this.bytesMax) this.onTooLarge(this.bytes);
    else if (this.bytes > 0) this.onDocument(Buffer.concat(this.chunks));
    this.chunks = [];
    this.bytes = 0;
  }
}

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Each object that stands in the outermost array, or alone, as soon as it is complete. */
export class JsonElements implements Frames {
  private depth = 0;
  private inText = false;
  private escaped = false;
  private parts: Buffer[] = [];
  private bytes = 0;

  constructor(
    private readonly onDocument: OnDocument,
    private readonly onTooLarge: OnTooLarge,
    private readonly onCutOff: OnTooLarge,
  ) {}

  push(chunk: Buffer): void {
    let from = this.depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.inText) this.textByte(byte);
      else if (byte === QUOTE) this.inText = this.depth > 0;
      else if (byte === OPEN_OBJECT) {
        if (this.depth === 0) from = at;
        this.depth += 1;
      } else if (byte === OPEN_ARRAY) this.depth += this.depth > 0 ? 1 : 0;
      else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && this.depth > 0) {
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
    if (this.bytes > DOCUMENT_BYTES_MAX) this.onTooLarge(this.bytes);
    else if (this.bytes > 0) this.onCutOff(this.bytes);
    this.bytes = 0;
  }

  private textByte(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  private keep(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.bytes <= DOCUMENT_BYTES_MAX) this.parts.push(bytes);
    else this.parts = [];
  }

  private emit(): void {
    if (this.bytes > DOCUMENT_BYTES_MAX) this.onTooLarge(this.bytes);
    else this.onDocument(Buffer.concat(this.parts));
    this.parts = [];
    this.bytes = 0;
  }
}
