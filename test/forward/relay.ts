/** A server that forwards all it gets to one upstream, as the pipeline will, and keeps every outcome. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import type { UpstreamOptions } from '../../src/forward/forwarder.js';
import {
  createForwarder,
  type Forwarder,
  type ForwardJob,
  type Outcome,
} from '../../src/forward/forwarder.js';
import type { OnDropped } from '../../src/forward/headers.js';
import type { Certificate } from '../support/certificate.js';
import { RawClient } from '../support/raw.js';

/** The outcome of one job; empty until it is reported. */
export type Outcomes = Outcome[];

export interface RelayOptions extends Partial<UpstreamOptions> {
  /** Serves TLS. */
  readonly certificate?: Certificate;
  readonly onDropped?: OnDropped;
  readonly job?: (request: IncomingMessage) => Partial<ForwardJob> | Promise<Partial<ForwardJob>>;
}

export class Relay {
  readonly jobs: Outcomes[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly responses: ServerResponse[] = [];
  onTold = (): void => {};
  private readonly watchers = new Set<() => void>();

  private constructor(
    readonly server: Server,
    readonly forwarder: Forwarder,
    private readonly options: RelayOptions,
  ) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start(t: Test, url: string, options: RelayOptions = {}): Promise<Relay> {
    const { job: _, certificate, onDropped, ...given } = options;
    const times = { connectTimeoutMs: 2_000, headersTimeoutMs: 30_000, bodyTimeoutMs: 30_000 };
    const forwarder = createForwarder({ url, connections: 16, ...times, ...given }, onDropped);
    const relay = new Relay(
      certificate === undefined ? createServer() : createSecureServer(certificate),
      forwarder,
      options,
    );
    relay.server.listen(0, '127.0.0.1');
    await once(relay.server, 'listening');
    t.teardown(() => relay.close());
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async connect(t: Test): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    t.teardown(() => client.destroy());
    return client;
  }

  /** The outcomes, in the order of the jobs, once `count` of them have ended. */
  async outcomes(count: number): Promise<Outcome[]> {
    while (this.jobs.filter((outcomes) => outcomes.length > 0).length < count) {
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
    return this.jobs.flat();
  }

  /** Lets go of what it kept for the test. */
  forget(): void {
    for (const kept of [this.jobs, this.requests, this.responses]) kept.length = 0;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const outcomes: Outcomes = [];
    this.jobs.push(outcomes);
    this.requests.push(request);
    this.responses.push(response);
    const job: ForwardJob = {
      method: request.method ?? '',
      path: request.url ?? '',
      rawHeaders: request.rawHeaders,
      request,
      body: undefined,
      response,
      extraHeaders: [],
      stripHeaders: new Set(),
      clientAddress: '192.0.2.7',
      ...(await this.options.job?.(request)),
    };
    this.forwarder.forward(job, (outcome) => this.tell(outcomes, outcome, response));
  }

  private tell(outcomes: Outcomes, outcome: Outcome, response: ServerResponse): void {
    // Thrown to the process, and so a failure of the test, whenever it happens.
    if (outcomes.length > 0) throw new Error(`outcome ${outcome.kind} after ${outcomes[0]?.kind}`);
    outcomes.push(outcome);
    if (outcome.kind === 'not-sent' || outcome.kind === 'broken') response.writeHead(502).end(outcome.error);
    for (const look of this.watchers) look();
    this.watchers.clear();
    this.onTold();
  }

  private async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await this.forwarder.destroy();
  }
}
