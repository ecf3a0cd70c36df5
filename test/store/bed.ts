/**
 * A gateway of its own process with its store behind a proxy, an upstream, and clients that go on asking: on a route that is
 * closed without the store, on one whose cost the answer tells, on one that is open within a bound, and on a budget that is
 * nearly spent.
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
import { as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { RedisUnderTest } from './redis-under-test.js';

export const DEADLINE_MS = 50;
export const OPEN_UNITS = 100;
export const TIGHT_UNITS = 120;

/** `free` needs no store: what its requests take is the machine's doing. */
export type Way = 'closed' | 'measured' | 'open' | 'bindingLimits' | 'free';

interface Producer {
  readonly org: string;
  readonly users: readonly string[];
  /** Of an answer that counts, in tenths. */
  readonly cost: number;
  readonly connections: number;
  /** Time from one request of a connection to its next. */
  readonly paceMs: number;
}

export const WAYS: Readonly<Record<Way, Producer>> = {
  closed: { org: 'acme', users: ['ana', 'ben', 'eva'], cost: 10, connections: 8, paceMs: 20 },
  measured: { org: 'acme', users: ['ana', 'kim'], cost: 30, connections: 4, paceMs: 20 },
  open: { org: 'roam', users: ['ana', 'ben'], cost: 10, connections: 4, paceMs: 20 },
  bindingLimits: { org: 'bindingLimits', users: ['ana'], cost: 10, connections: 2, paceMs: 25 },
  free: { org: 'none', users: ['ana'], cost: 0, connections: 4, paceMs: 20 },
};
export const ORGS = ['acme', 'roam', 'bindingLimits'] as const;

const CONFIG_ORGS = `
  acme: { plans: { usage: { allowance: 100000000 } }, groups: { crew: {} }, users: { ana: { groups: [crew] } } }
  roam: { plans: { usage: { allowance: 100000000 } } }
  bindingLimits: { plans: { usage: { allowance: ${TIGHT_UNITS} } } }
`;
const ROUTES = `
  - { match: GET /closed, action: closed, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: GET /free, identity: none, upstream: up }
  - { match: GET /tight, action: bindingLimits, upstream: up, charges: [{ quota: usage, units: 1 }] }
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

export interface Told {
  readonly way: Way;
  /** 0: no answer came. */
  readonly status: number;
  readonly openMode: boolean;
  readonly sentAt: number;
  readonly ms: number;
}

export class Bed {
  readonly told: Told[] = [];
  private stopped = false;
  private load: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly folder: string,
    readonly redis: RedisUnderTest,
    readonly proxy: FaultProxy,
    readonly gateway: GatewayProcess,
    readonly ledger: Ledger,
    private readonly upstream: Server,
    private readonly log: readonly string[],
  ) {}

  static async make(): Promise<Bed> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-bed-'));
    const redis = new RedisUnderTest();
    await redis.start();
    const proxy = await FaultProxy.start(redis.socket);
    const upstream = createServer((request, response) => {
      request.resume();
      const status = request.headers['x-fail'] === undefined ? 200 : 500;
      response.writeHead(status, { 'x-cost': '3' }).end('{}');
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, redis.password);
    const parts = {
      redis: proxy.url,
      store: `, passwordFile: ${JSON.stringify(passwordFile)}`,
      deadlineMs: DEADLINE_MS,
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      orgs: CONFIG_ORGS,
      routes: ROUTES,
    };
    const gateway = await spawnGateway(parts, folder);
    const log: string[] = [];
    gateway.child.stdout?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
    const ledger = await openRedis({ url: redis.url, password: () => redis.password });
    return new Bed(folder, redis, proxy, gateway, ledger, upstream, log);
  }

  /** The gateway is to know another password from now on. */
  changePasswordFile(password: string): void {
    writeFileSync(join(this.folder, 'password'), password);
  }

  /** Lines of the gateway's log that say this. */
  logged(message: string): number {
    return this.log.join('').split(`"msg":"${message}"`).length - 1;
  }

  startLoad(): void {
    const connections = Object.keys(WAYS).flatMap((way) =>
      Array.from({ length: WAYS[way as Way].connections }, () => this.ask(way as Way)),
    );
    this.load = Promise.all(connections);
  }

  private async ask(way: Way): Promise<void> {
    const { org, users, paceMs } = WAYS[way];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; !this.stopped; count += 1) {
      // Every fourth answer does not count, and its charge goes back.
      const fails: Record<string, string> = count % 4 === 3 ? { 'x-fail': '1' } : {};
      const headers = { ...as(users[count % users.length] ?? '', org), ...fails };
      const sentAt = performance.now();
      const reply = await ask(this.gateway.gateway, `/${way}`, { headers, agent }).catch(() => undefined);
      const ms = performance.now() - sentAt;
      const openMode = reply?.headers['quotagate-mode'] === 'open';
      this.told.push({ way, status: reply?.status ?? 0, openMode, sentAt, ms });
      await delay(Math.max(0, paceMs - ms));
    }
    agent.destroy();
  }

  async stopLoad(): Promise<void> {
    this.stopped = true;
    await this.load;
  }

  /** Units in tenths of the answers that count, by org. */
  served(accept: (told: Told) => boolean = () => true): Record<string, number> {
    const sums: Record<string, number> = Object.fromEntries(ORGS.map((org) => [org, 0]));
    for (const told of this.told) {
      const { org, cost } = WAYS[told.way];
      if (told.status === 200 && accept(told)) sums[org] = (sums[org] ?? 0) + cost;
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
    await this.proxy.close();
    await this.redis.close();
    this.upstream.closeAllConnections();
    await new Promise((resolve) => this.upstream.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
