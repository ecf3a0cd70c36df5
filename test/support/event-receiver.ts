/** A real HTTP server that receives batches of CloudEvents: it may fail, be slow, or break connections off. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface JournalEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly user: string; readonly units: number };
}

export interface ReceivedBatch {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly events: readonly JournalEvent[];
  /** The status that it was answered; 0 if the connection was broken off. */
  readonly status: number;
}

export class EventReceiver {
  readonly batches: ReceivedBatch[] = [];
  /** Of the next answers; 0 breaks the connection off. */
  status = 202;
  slowMs = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', async () => {
        const text = Buffer.concat(parts).toString();
        const { status } = this;
        this.batches.push({ headers: request.headers, text, events: JSON.parse(text), status });
        await delay(this.slowMs);
        if (status === 0) return void request.socket.destroy();
        response.writeHead(status).end();
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/events`;
  }

  /** Every event once; what comes again under its id must be the same. */
  events(): JournalEvent[] {
    const byId = new Map<string, JournalEvent>();
    for (const event of this.batches.flatMap(({ events }) => events)) {
      const id = `${event.source}#${event.id}`;
      const before = byId.get(id);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(event))
        throw new Error(`${id} came again with another content`);
      byId.set(id, event);
    }
    return [...byId.values()];
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The units of each user. */
export function unitsByUser(events: readonly JournalEvent[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { data } of events) sums[data.user] = (sums[data.user] ?? 0) + (data.units ?? 0);
  return sums;
}
