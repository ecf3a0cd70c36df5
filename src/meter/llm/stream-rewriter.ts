/**
 * Builds the client's copy of a stream. Chunks pass unchanged, except for byte ranges that are removed. The bytes of an
 * unfinished event are withheld while the stream may still be cut after the last complete event.
 */

/** A byte range to remove. */
export interface Change {
  /** Positions in the stream, counted from its first byte. */
  readonly start: number;
  readonly end: number;
}

/** The limit for withheld bytes: a larger event passes unchanged. */
const KEPT_BYTES_MAX = 1_048_576;

const NOTHING: readonly Change[] = [];

export class StreamRewriter {
  /** True: bytes pass only in whole events. */
  keeps: boolean;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** Bytes of the stream that were passed on or removed. */
  private passed = 0;
  private changes: Change[] = [];

  constructor(keeps: boolean) {
    this.keeps = keeps;
  }

  /** Removes these bytes. Ranges must be in order and after everything that has passed; a late range is ignored. */
  remove(start: number, end: number): void {
    if (start >= this.passed) this.changes.push({ start, end });
  }

  /**
   * @param boundary stream position after the last complete event
   */
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

  /** Ends the stream and returns the withheld bytes. */
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
