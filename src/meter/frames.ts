/** An answer is taken apart into frames: documents, events, lines. */

/** Takes an answer apart. */
export interface Frames {
  push(chunk: Buffer): void;
  /** The answer is over. */
  end(): void;
}

/** Takes a stream apart, and knows where the last event that is complete has ended. */
export interface StreamFrames extends Frames {
  readonly boundary: number;
}

/** Gathers the bytes of one frame up to a bound; of a larger frame only the size is known. */
export class FrameBytes {
  private parts: Buffer[] = [];
  private count = 0;

  constructor(private readonly bytesMax: number) {}

  /** Of all that was added, kept or not. */
  get size(): number {
    return this.count;
  }

  add(bytes: Buffer): void {
    this.count += bytes.length;
    if (this.count <= this.bytesMax) this.parts.push(bytes);
    else this.parts = [];
  }

  /** Ends the frame and begins the next one; undefined where the frame was too large. */
  take(): Buffer | undefined {
    const { parts, count } = this;
    this.parts = [];
    this.count = 0;
    if (count > this.bytesMax) return undefined;
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  }
}

/** A body that is one document. */
export class WholeBody implements Frames {
  private readonly kept: FrameBytes;

  constructor(
    private readonly onDocument: (document: Buffer) => void,
    private readonly onTooLarge: (bytes: number) => void,
    bytesMax: number,
  ) {
    this.kept = new FrameBytes(bytesMax);
  }

  push(chunk: Buffer): void {
    this.kept.add(chunk);
  }

  end(): void {
    const { size } = this.kept;
    const body = this.kept.take();
    if (body === undefined) this.onTooLarge(size);
    else if (size > 0) this.onDocument(body);
  }
}
