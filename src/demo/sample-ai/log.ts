/** What the sample received and sent: the other half of every claim about charges. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Usage } from './answer.js';

export interface SampleEntry {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined where it is no JSON, or too large to be kept. */
  body: unknown;
  bodyBytes: number;
  /** Empty where the path is nobody's. */
  api: string;
  stream: boolean;
  /** 0 until an answer was begun. */
  status: number;
  /** What the whole answer truly costs, however it ends and whatever it tells. */
  usage: Usage | undefined;
  /** Output tokens in the text that was handed over; reasoning that is not shown is not among them. */
  tokensSent: number;
  /** The body, before any content-encoding. */
  bytesSent: number;
  /** `whole`: handed over to the last byte. `cut`: broken off here. `aborted`: the client left. */
  served: 'open' | 'whole' | 'cut' | 'aborted';
  /** It waits to be released. */
  onHold: boolean;
  /** By `performance.now()`. */
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

  /** Resolves once `seen` holds; looked at after every change. */
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
