/**
 * Reads server-sent events. Lines may end in LF, CR or CRLF, and chunks may split anywhere, even within a character.
 * Every event knows its byte range in the stream.
 */

export interface SseEvent {
  /** The data; several data lines are joined by LF. */
  readonly data: Buffer;
  /** Stream position of the first data byte; -1 if the event has several data lines. */
  readonly dataAt: number;
  /** The byte range of the event in the stream, including comments and the empty line after it. */
  readonly start: number;
  readonly end: number;
}

/** A larger event is not read; only its size is reported. */
const EVENT_BYTES_MAX = 8_388_608;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
/** A comment, or a field that is not `data`. */
const OTHER_FIELD = /^(?::|(?:event|id|retry)(?::|$))/;
const FIELD_BYTES = 6;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NONE = Buffer.alloc(0);

export class SseReader {
  /** Stream position after the last complete event. */
  boundary = 0;
  /** All bytes pushed so far. */
  private bytes = 0;
  private lineAt = 0;
  private partial: Buffer[] = [];
  private partialBytes = 0;
  /** The last byte was a CR; a following LF belongs to it. */
  private afterCr = false;
  private lines: Buffer[] = [];
  private linesBytes = 0;
  private dataAt = -1;
  private tooLarge = false;
  /** The event is JSON without a `data:` prefix. */
  private isBareJson = false;

  constructor(
    private readonly onEvent: (event: SseEvent) => void,
    private readonly onTooLarge: (bytes: number) => void,
    /** Gets the size of lines that belong to no event. */
    private readonly onStray: (bytes: number) => void = () => undefined,
  ) {}

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    let from = 0;
    if (this.afterCr) {
      this.afterCr = false;
      from = chunk[0] === LF ? 1 : 0;
      this.endLine(NONE, this.bytes + from);
    }
    let lf = chunk.indexOf(LF, from);
    let cr = chunk.indexOf(CR, from);
    while (lf >= 0 || cr >= 0) {
      const isCr = cr >= 0 && (lf < 0 || cr < lf);
      const at = isCr ? cr : lf;
      if (isCr && at === chunk.length - 1) {
        this.afterCr = true;
        this.keep(chunk.subarray(from, at));
        this.bytes += chunk.length;
        return;
      }
      const next = isCr && chunk[at + 1] === LF ? at + 2 : at + 1;
      this.endLine(chunk.subarray(from, at), this.bytes + next);
      from = next;
      if (lf >= 0 && lf < next) lf = chunk.indexOf(LF, next);
      if (isCr) cr = chunk.indexOf(CR, next);
    }
    if (from < chunk.length) this.keep(chunk.subarray(from));
    this.bytes += chunk.length;
  }

  /** Ends the stream. An event without its final empty line counts too. */
  end(): void {
    if (this.afterCr || this.partialBytes > 0) this.endLine(NONE, this.bytes);
    this.afterCr = false;
    this.dispatch(this.bytes);
  }

  private keep(bytes: Buffer): void {
    if (this.partialBytes + this.linesBytes + bytes.length > EVENT_BYTES_MAX) {
      this.tooLarge = true;
      this.partial = [];
    }
    this.partialBytes += bytes.length;
    if (!this.tooLarge && bytes.length > 0) this.partial.push(bytes);
  }

  private endLine(tail: Buffer, end: number): void {
    const isEmpty = tail.length === 0 && this.partialBytes === 0;
    if (isEmpty) this.dispatch(end);
    else if (!this.tooLarge)
      this.line(this.partial.length === 0 ? tail : Buffer.concat([...this.partial, tail]));
    if (this.partialBytes > 0) {
      this.partial = [];
      this.partialBytes = 0;
    }
    this.lineAt = end;
  }

  private line(whole: Buffer): void {
    const marked = this.lineAt === 0 && whole.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
    const line = marked === 0 ? whole : whole.subarray(marked);
    // The line starts with `data`, followed by a colon or nothing.
    const isData = line[0] === 0x64 && line[1] === 0x61 && line[2] === 0x74 && line[3] === 0x61;
    if (!isData || (line.length > 4 && line[4] !== COLON)) {
      this.otherLine(line);
      return;
    }
    const from = line[5] === SPACE ? 6 : 5;
    this.dataAt = this.lines.length === 0 ? this.lineAt + marked + from : -1;
    this.lines.push(line.subarray(Math.min(from, line.length)));
    this.linesBytes += line.length;
    if (this.linesBytes > EVENT_BYTES_MAX) this.tooLarge = true;
  }

  /** Some servers send JSON without `data:`, mostly errors. */
  private otherLine(line: Buffer): void {
    this.isBareJson ||= line[0] === OPEN_OBJECT && this.lines.length === 0;
    if (!this.isBareJson) {
      // A shorter line can be a truncated field name.
      const isStray =
        line.length >= FIELD_BYTES && !OTHER_FIELD.test(line.toString('latin1', 0, FIELD_BYTES));
      if (isStray) this.onStray(line.length);
      return;
    }
    this.dataAt = -1;
    this.lines.push(line);
    this.linesBytes += line.length;
    if (this.linesBytes > EVENT_BYTES_MAX) this.tooLarge = true;
  }

  private dispatch(end: number): void {
    const { lines, dataAt } = this;
    const start = this.boundary;
    this.boundary = end;
    if (this.tooLarge) this.onTooLarge(end - start);
    else if (lines.length > 0) this.onEvent({ data: joined(lines), dataAt, start, end });
    if (lines.length > 0) this.lines = [];
    this.linesBytes = 0;
    this.isBareJson = false;
    this.tooLarge = false;
  }
}

function joined(lines: readonly Buffer[]): Buffer {
  const [first = NONE] = lines;
  if (lines.length === 1) return first;
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from([LF]), line])));
}
