/**
 * `npm run bench`: what the budgets cost. The same gateway without a quota, strict on Redis, and strict embedded, each a
 * process of its own, in interleaved rounds: requests a second, latency, and CPU µs a request of gateway and Redis.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GatewayProcess, spawnGateway } from '../test/support/gateway.js';
import { type RedisServer, startRedis } from '../test/support/redis.js';
import { fire, type LoadResult } from './gateway/load.js';
import { watchCpu } from './lib/cpu.js';
import { commitLine, machineLine } from './lib/machine.js';
import { type Contestant, interleave, median } from './lib/rounds.js';
import { table, verdicts, whole } from './lib/table.js';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 3);
const USERS = 100;

/** A user limit, one group and the pool, none of which is ever reached. */
const ORGS = `
  bench:
    cycle: { every: year, anchor: 101, timeZone: UTC }
    plans: { usage: { allowance: 100000000000 } }
    groups: { g1: {} }
    users:
${Array.from({ length: USERS }, (_, index) => `      u${index}: { groups: [g1] }`).join('\n')}
    limits:
      - { group: g1, quota: usage, percent: 90 }
${Array.from({ length: USERS }, (_, index) => `      - { user: u${index}, quota: usage, units: 100000000 }`).join('\n')}
`;

const STRICT = `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, charges: [{ quota: usage, units: 0.1 }] }
`;
const NO_QUOTA = `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, charges: [] }
`;

interface Sample extends LoadResult {
  readonly gatewayUs: number;
  readonly redisUs: number;
}

function contestant(
  name: string,
  gateway: GatewayProcess,
  redis: RedisServer,
  connections: number,
): Contestant<Sample> {
  return {
    name,
    async run() {
      const spent = watchCpu({ gateway: gateway.child.pid ?? 0, redis: redis.pid });
      const url = `http://${gateway.gateway}/v3/maps/4/8/5`;
      const result = await fire({ url, connections, seconds: SECONDS, users: USERS });
      const cpu = spent();
      if (result.other > 0) throw new Error(`${name}: ${result.other} answers were not 200`);
      return { ...result, gatewayUs: cpu.gateway / result.requests, redisUs: cpu.redis / result.requests };
    },
  };
}

async function startUpstream(): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(join(fileURLToPath(import.meta.url), '../gateway/upstream.js'));
  const port = await new Promise<number>((resolve) =>
    child.once('message', (message) => resolve(Number(message))),
  );
  return { child, url: `http://127.0.0.1:${port}` };
}

function rowsOf(samples: ReadonlyMap<string, readonly Sample[]>): Map<string, Record<keyof Sample, number>> {
  const keys = ['requests', 'perSecond', 'p50Us', 'p99Us', 'other', 'gatewayUs', 'redisUs'] as const;
  const rows = new Map<string, Record<keyof Sample, number>>();
  for (const [name, list] of samples) {
    const medians = keys.map((key) => [key, median(list.map((sample) => sample[key]))]);
    rows.set(name, Object.fromEntries(medians) as Record<keyof Sample, number>);
  }
  return rows;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-bench-'));
  const upstream = await startUpstream();
  const redis = await startRedis();
  const parts = { upstream: upstream.url, orgs: ORGS };
  const plain = await spawnGateway({ ...parts, routes: NO_QUOTA, data: join(folder, 'plain') }, folder);
  const strict = await spawnGateway({ ...parts, routes: STRICT, redis: redis.url }, folder);
  const embedded = await spawnGateway({ ...parts, routes: STRICT, data: join(folder, 'embedded') }, folder);
  process.stdout.write(`${machineLine([`${ROUNDS} rounds of ${SECONDS} s`])}\n${commitLine()}\n\n`);
  try {
    for (const connections of [64, 1]) {
      const contestants = [
        contestant('no quota', plain, redis, connections),
        contestant('strict, Redis', strict, redis, connections),
        contestant('strict, embedded', embedded, redis, connections),
      ];
      report(connections, rowsOf(await interleave(contestants, ROUNDS)));
    }
  } finally {
    await Promise.all([plain.stop(), strict.stop(), embedded.stop()]);
    await redis.stop();
    upstream.child.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(connections: number, rows: Map<string, Record<keyof Sample, number>>): void {
  const base = rows.get('no quota');
  if (base === undefined) return;
  const cells = [...rows].map(([name, row]) => {
    const cpu = row.gatewayUs + row.redisUs;
    const ratios = [(row.perSecond / base.perSecond).toFixed(2), (cpu / base.gatewayUs).toFixed(2)];
    const figures = [whole(row.perSecond), whole(row.p50Us), whole(row.p99Us)];
    return [name, ...figures, row.gatewayUs.toFixed(1), row.redisUs.toFixed(1), ...ratios];
  });
  const head = ['', 'req/s', 'p50 µs', 'p99 µs', 'gateway µs/req', 'Redis µs/req', 'req/s ×', 'CPU ×'];
  process.stdout.write(`${connections} connections\n\n${table(head, cells)}\n\n`);
  const aims = [...rows]
    .filter(([name]) => name !== 'no quota')
    .flatMap(([name, row]) => [
      {
        text: `${name}: CPU`,
        measured: (row.gatewayUs + row.redisUs) / base.gatewayUs,
        most: 1.35,
        unit: '×',
      },
      {
        text: `${name}: time a request (1 / req/s)`,
        measured: base.perSecond / row.perSecond,
        most: 1.25,
        unit: '×',
      },
    ]);
  if (connections > 1) process.stdout.write(`${verdicts(aims)}\n\n`);
}

await main();
