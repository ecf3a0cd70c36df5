/** Streams of JSON lines: each line is a document. */
import type { StreamFrames } from './shape.js';
import { isObject, type Json } from './usage.js';

/** A longer line is not read. */
const LINE_BYTES_MAX = 1_048_576;

const LF = 0x0a;

export class JsonLines implements StreamFrames {
  boundary = 0;
  private bytes = 0;
  private parts: Buffer[] = [];
  private partBytes = 0;

  constructor(
    private readonly read: (document: Json) => void,
    private readonly unread: (bytes: number) => void,
    private readonly cutOff: (bytes: number) => void,
  ) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.keep(chunk.subarray(from, at));
      from = at + 1;
      this.line();
      this.boundary = this.bytes + from;
    }
    if (from < chunk.length) this.keep(chunk.subarray(from));
    this.bytes += chunk.length;
  }

  /** The last line needs no end; one behind others may have broken off. */
  end(): void {
    this.line(this.boundary > 0);
    this.boundary = this.bytes;
  }

  private keep(bytes: Buffer): void {
    this.partBytes += bytes.length;
    if (this.partBytes <= LINE_BYTES_MAX) this.parts.push(bytes);
    else this.parts = [];
  }

  private line(mayBreakOff = false): void {
    const { parts, partBytes } = this;
    if (partBytes === 0) return;
    this.parts = [];
    this.partBytes = 0;
    const [first] = parts;
    const line = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    const document = parts.length === 0 ? undefined : parsed(line);
    if (isObject(document)) this.read(document);
    else if (document !== BLANK && mayBreakOff) this.cutOff(partBytes);
    else if (document !== BLANK) this.unread(partBytes);
  }
}

const BLANK = Symbol('a line without a document');

function parsed(line: Buffer): unknown {
  const text = line.toString('utf8').trim();
  if (text === '') return BLANK;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
