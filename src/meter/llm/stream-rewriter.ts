/**
 * What the client gets of a stream: the very chunks that came, but for events that are changed or left out, and for the bytes
 * of an unfinished event while it is not known whether the stream will be cut behind the last whole one.
 */

/** What becomes of one event's bytes. */
export interface Change {
  /** In the stream, counted from its first byte. */
  readonly start: number;
  readonly end: number;
}

/** More than this is never kept back: an event so large passes as it came. */
const KEPT_BYTES_MAX = 1_048_576;

const NOTHING: readonly Change[] = [];

export class StreamRewriter {
  /** True: bytes pass only in whole events. */
  keeps: boolean;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** Of the stream, handed on or left out. */
  private passed = 0;
  private changes: Change[] = [];

  constructor(keeps: boolean) {
    this.keeps = keeps;
  }

  /** These bytes are left out. They must lie behind all that has passed, in order; too late, nothing happens. */
  leaveOut(start: number, end: number): void {
    if (start >= this.passed) this.changes.push({ start, end });
  }

  /** @param boundary behind the last event that is complete, in the stream */
  pass(chunk: Buffer, boundary: number): Buffer | undefined {
    const all = this.passed + this.keptBytes + chunk.length;
    const goes = this.keeps && all - boundary <= KEPT_BYTES_MAX ? Math.max(boundary, this.passed) : all;
    if (this.keptBytes === 0 && this.changes.length === 0 && goes === all) {
      this.passed = all;
      return chunk;
    }
    this.kept.push(chunk);
    this.keptBytes += chunk.length;
    if (goes === this.passed) return undefined;
    return this.release(goes);
  }

  /** The stream is over. */
  rest(): Buffer | undefined {
    return this.keptBytes === 0 ? undefined : this.release(this.passed + this.keptBytes);
  }

  drop(): void {
    this.kept = [];
    this.keptBytes = 0;
  }

  private release(end: number): Buffer | undefined {
    const bytes = this.kept.length === 1 ? this.kept[0] : undefined;
    const whole = bytes ?? Buffer.concat(this.kept, this.keptBytes);
    const base = this.passed;
    const parts: Buffer[] = [];
    let at = base;
    for (const change of this.changes.length === 0 ? NOTHING : this.changes) {
      if (change.start > at) parts.push(whole.subarray(at - base, change.start - base));
      at = Math.max(at, change.end);
    }
    if (end > at) parts.push(whole.subarray(at - base, end - base));
    const rest = whole.subarray(end - base);
    this.kept = rest.length === 0 ? [] : [rest];
    this.keptBytes = rest.length;
    this.passed = end;
    this.changes = [];
    const [only] = parts;
    return parts.length < 2 ? only : Buffer.concat(parts);
  }
}
