/** Splits an answer into frames: documents, events or lines. */

/** Reads the bytes of an answer as they arrive. */
export interface Frames {
  push(chunk: Buffer): void;
  /** The answer has ended. */
  end(): void;
}

/** Splits a stream into events. `boundary`: where the last complete event ended. */
export interface StreamFrames extends Frames {
  readonly boundary: number;
}

/** Collects the bytes of one frame up to a limit. Of a larger frame only the size is known. */
export class FrameBytes {
  private parts: Buffer[] = [];
  private count = 0;

  constructor(private readonly bytesMax: number) {}

  /** All bytes added, kept or not. */
  get size(): number {
    return this.count;
  }

  add(bytes: Buffer): void {
    this.count += bytes.length;
    if (this.count <= this.bytesMax) this.parts.push(bytes);
    else this.parts = [];
  }

  /** Ends the frame and begins the next one. Returns undefined if the frame was too large. */
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
