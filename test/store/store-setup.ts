/**
 * Set-up of the store tests: a gateway process, its Redis behind a fault proxy, an upstream, and clients that send a steady load
 * on five routes: one fails closed without the store, one has a cost in the response, one fails open within a bound, one has a
 * small budget, and one needs no store.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { as, ask, type ConfigParts, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import type { NetworkHost } from '../support/network.js';
import { RedisUnderTest } from './redis-under-test.js';

export const DEADLINE_MS = 50;
export const OPEN_UNITS = 100;
export const SCARCE_UNITS = 120;

/** Requests of `free` need no store: their latency shows how busy the machine is. */
export type LoadKind = 'closed' | 'measured' | 'open' | 'scarce' | 'free';

interface RouteLoad {
  readonly org: string;
  readonly users: readonly string[];
  /** Charge of an answer that counts, in tenths of a unit. */
  readonly cost: number;
  readonly connections: number;
  /** Time between the starts of two requests on one connection. */
  readonly paceMs: number;
}

const LOADS: Readonly<Record<LoadKind, RouteLoad>> = {
  closed: { org: 'acme', users: ['ana', 'ben', 'eva'], cost: 10, connections: 8, paceMs: 20 },
  measured: { org: 'acme', users: ['ana', 'kim'], cost: 30, connections: 4, paceMs: 20 },
  open: { org: 'roam', users: ['ana', 'ben'], cost: 10, connections: 4, paceMs: 20 },
  scarce: { org: 'scarce', users: ['ana'], cost: 10, connections: 2, paceMs: 25 },
  free: { org: 'none', users: ['ana'], cost: 0, connections: 4, paceMs: 20 },
};
export const ORGS = ['acme', 'roam', 'scarce'] as const;

const CONFIG_ORGS = `
  acme: { plans: { usage: { allowance: 100000000 } }, groups: { crew: {} }, users: { ana: { groups: [crew] } } }
  roam: { plans: { usage: { allowance: 100000000 } } }
  scarce: { plans: { usage: { allowance: ${SCARCE_UNITS} } } }
`;
const ROUTES = `
  - { match: GET /closed, action: closed, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: GET /free, identity: none, upstream: up }
  - { match: GET /scarce, action: scarce, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: GET /measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 5, floor: 1 }]
  - match: GET /open
    action: open
    upstream: up
    charges: [{ quota: usage, units: 1 }]
    whenDown: { open: { units: ${OPEN_UNITS}, seconds: 3600 } }
`;

export interface Answer {
  readonly kind: LoadKind;
  /** 0 where no answer arrived. */
  readonly status: number;
  readonly openMode: boolean;
  readonly sentAt: number;
  readonly ms: number;
}

/** A gateway process under load. Where its store is, and what happens to it, is the matter of the test. */
export class GatewayUnderLoad {
  readonly answers: Answer[] = [];
  private stopped = false;
  private load: Promise<unknown> = Promise.resolve();

  constructor(
    readonly folder: string,
    readonly gateway: GatewayProcess,
    /** The same store, past whatever is between it and the gateway. */
    readonly ledger: Ledger,
    private readonly upstream: Server,
  ) {}

  static async launch(
    store: Pick<ConfigParts, 'redis' | 'store' | 'settings' | 'on' | 'peers'>,
    folder: string,
    host = '127.0.0.1',
  ) {
    const upstream = createServer((request, response) => {
      request.resume();
      const status = request.headers['x-fail'] === undefined ? 200 : 500;
      response.writeHead(status, { 'x-cost': '3' }).end('{}');
    });
    await new Promise<void>((resolve) => upstream.listen(0, host, resolve));
    const parts = {
      ...store,
      deadlineMs: DEADLINE_MS,
      upstream: `http://${host}:${(upstream.address() as AddressInfo).port}`,
      orgs: CONFIG_ORGS,
      routes: ROUTES,
    };
    return { upstream, gateway: await spawnGateway(parts, folder) };
  }

  /** `settings`: of the section `store`. `network`: the gateway runs on a host of its own. */
  static async on(
    settings: string,
    openLedger: () => Promise<Ledger>,
    network?: { readonly on: NetworkHost; readonly address: string },
  ): Promise<GatewayUnderLoad> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-store-'));
    const on = network && { on: network.on, peers: `${network.address}/32` };
    const { upstream, gateway } = await GatewayUnderLoad.launch(
      { settings, ...on },
      folder,
      network?.address,
    );
    return new GatewayUnderLoad(folder, gateway, await openLedger(), upstream);
  }

  /** Log lines of the gateway with this event. */
  logged(event: string): number {
    return this.gateway.log.filter((line) => line.event === event).length;
  }

  /** The value of a metric of the gateway. */
  async metric(name: string): Promise<number | undefined> {
    const { body } = await ask(this.gateway.ops, '/metrics');
    const line = body.split('\n').find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  startLoad(): void {
    const connections = Object.keys(LOADS).flatMap((kind) =>
      Array.from({ length: LOADS[kind as LoadKind].connections }, () => this.ask(kind as LoadKind)),
    );
    this.load = Promise.all(connections);
  }

  private async ask(kind: LoadKind): Promise<void> {
    const { org, users, paceMs } = LOADS[kind];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; !this.stopped; count += 1) {
      // Every fourth response does not count: its charge is refunded.
      const fails: Record<string, string> = count % 4 === 3 ? { 'x-fail': '1' } : {};
      const headers = { ...as(users[count % users.length] ?? '', org), ...fails };
      const sentAt = performance.now();
      const reply = await ask(this.gateway.gateway, `/${kind}`, { headers, agent }).catch(() => undefined);
      const ms = performance.now() - sentAt;
      const openMode = reply?.headers['quotagate-mode'] === 'open';
      this.answers.push({ kind, status: reply?.status ?? 0, openMode, sentAt, ms });
      await delay(Math.max(0, paceMs - ms));
    }
    agent.destroy();
  }

  async stopLoad(): Promise<void> {
    this.stopped = true;
    await this.load;
  }

  /** Charges of the answers that count, in tenths of a unit, by org. */
  served(accept: (answer: Answer) => boolean = () => true): Record<string, number> {
    const sums: Record<string, number> = Object.fromEntries(ORGS.map((org) => [org, 0]));
    for (const answer of this.answers) {
      const { org, cost } = LOADS[answer.kind];
      if (answer.status === 200 && accept(answer)) sums[org] = (sums[org] ?? 0) + cost;
    }
    return sums;
  }

  /** `quotagate store accept-loss`, as an operator runs it. */
  async acceptLoss(): Promise<string> {
    const [config = ''] = readdirSync(this.folder).filter((name) => name.endsWith('.yaml'));
    const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
    const args = [
      main,
      'store',
      'accept-loss',
      '-c',
      join(this.folder, config),
      '--all',
      '--reason',
      'a test',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`accept-loss ended with ${code}: ${said}`);
    return said;
  }

  async close(): Promise<void> {
    await this.stopLoad();
    await this.gateway.stop();
    await this.ledger.close();
    this.upstream.closeAllConnections();
    await new Promise((resolve) => this.upstream.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class StoreSetup extends GatewayUnderLoad {
  private constructor(
    readonly redis: RedisUnderTest,
    readonly proxy: FaultProxy,
    ...base: ConstructorParameters<typeof GatewayUnderLoad>
  ) {
    super(...base);
  }

  static async make(): Promise<StoreSetup> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-store-'));
    const redis = new RedisUnderTest();
    await redis.start();
    const proxy = await FaultProxy.start(redis.socket);
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, redis.password);
    const store = { redis: proxy.url, store: `, passwordFile: ${JSON.stringify(passwordFile)}` };
    const { upstream, gateway } = await GatewayUnderLoad.launch(store, folder);
    const ledger = await openRedis({ url: redis.url, password: () => redis.password });
    return new StoreSetup(redis, proxy, folder, gateway, ledger, upstream);
  }

  /** Replaces the password that the gateway reads. */
  changePasswordFile(password: string): void {
    writeFileSync(join(this.folder, 'password'), password);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.proxy.close();
    await this.redis.close();
  }
}
