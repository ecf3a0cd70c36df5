/** Reads streams of JSON lines: each line is a document. */
import { FrameBytes, type StreamFrames } from '../frames.js';
import { isObject, type Json } from './usage.js';

/** A longer line is not read. */
const LINE_BYTES_MAX = 1_048_576;

const LF = 0x0a;

export class JsonLines implements StreamFrames {
  boundary = 0;
  private bytes = 0;
  private readonly kept = new FrameBytes(LINE_BYTES_MAX);

  constructor(
    private readonly read: (document: Json) => void,
    private readonly unread: (bytes: number) => void,
    private readonly cutOff: (bytes: number) => void,
  ) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.kept.add(chunk.subarray(from, at));
      from = at + 1;
      this.line();
      this.boundary = this.bytes + from;
    }
    if (from < chunk.length) this.kept.add(chunk.subarray(from));
    this.bytes += chunk.length;
  }

  /** The last line may lack a line end. If other lines came before it, it may also be truncated. */
  end(): void {
    this.line(this.boundary > 0);
    this.boundary = this.bytes;
  }

  private line(mayBreakOff = false): void {
    const { size } = this.kept;
    if (size === 0) return;
    const line = this.kept.take();
    const document = line === undefined ? undefined : parsed(line);
    if (isObject(document)) this.read(document);
    else if (document !== BLANK && mayBreakOff) this.cutOff(size);
    else if (document !== BLANK) this.unread(size);
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
