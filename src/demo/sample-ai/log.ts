/** What the sample received and sent: tests compare charges with it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Usage } from './answer.js';

export interface SampleEntry {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined if it is not JSON, or too large to keep. */
  body: unknown;
  bodyBytes: number;
  /** Empty if the path belongs to no API. */
  api: string;
  stream: boolean;
  /** 0 until the answer has started. */
  status: number;
  /** The true cost of the whole answer, whatever it reports and however it ends. */
  usage: Usage | undefined;
  /** Output tokens in the text that was sent, without hidden reasoning. */
  tokensSent: number;
  /** The size of the body before any content coding. */
  bytesSent: number;
  /** `whole`: sent to the last byte. `cut`: broken off by the sample. `aborted`: the client disconnected. */
  served: 'open' | 'whole' | 'cut' | 'aborted';
  /** The answer waits to be released. */
  onHold: boolean;
  /** From `performance.now()`. */
  readonly arrivedAt: number;
  endedAt: number | undefined;
}

export class SampleLog {
  readonly entries: SampleEntry[] = [];
  private readonly watchers = new Set<() => void>();

  /** Keeps the last `most` entries. */
  constructor(private readonly most: number) {}

  add(entry: SampleEntry): void {
    this.entries.push(entry);
    if (this.entries.length > this.most) this.entries.shift();
    this.heard();
  }

  /** Something has changed. */
  heard(): void {
    for (const look of this.watchers) look();
  }

  /** Resolves once `seen` returns true; it is checked after every change. */
  async until(seen: () => boolean): Promise<void> {
    if (seen()) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!seen()) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
    });
  }
}
