/**
 * `npm run bench:admin -- [users] [limits]`: what an admin waits for in an org of 100,000 users and 10,000 limits, while the same gateway
 * serves load at 40 % of its capacity from the same Redis, and what the load notices of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Change, Ledger } from '../src/ledger/port.js';
import { openRedis } from '../src/ledger/redis/index.js';
import { startRedis } from '../test/support/redis.js';
import { ORGS, PATH, STRICT, trusted, USERS } from './gateway/config.js';
import { fire } from './gateway/load.js';
import { type BenchGateway, startGateway, withLoopDelay } from './gateway/start.js';
import type { LoopDelay } from './lib/loop-delay.js';
import { commitLine, machineLine } from './lib/machine.js';
import { type Paced, paced } from './lib/paced.js';
import { quantile } from './lib/rounds.js';
import { forkServer } from './lib/server.js';
import { type Aim, table, verdicts } from './lib/table.js';

const [MEMBERS = 100_000, LIMITS = 10_000] = process.argv.slice(2).map(Number);
const PIECE = 500;
const LOAD_SHARE = 0.4;
const SECONDS = 20;
const SLOW_US = 2_000;

const READS = {
  'users by consumption': '/users?sort=-consumed:usage',
  'users, searched': '/users?q=m9999',
  'limits, blocked': '/limits?status=blocked',
  overview: '/overview',
} as const;

async function fill(ledger: Ledger): Promise<void> {
  const { values } = await ledger.read('bench', [{ table: 'org', fields: ['start'] }]);
  const start = Number(values[0]?.[0]);
  let changes: Change[] = [];
  for (let index = 0; index < MEMBERS; index += 1) {
    const user = `m${index}`;
    const profile = {
      name: `Member ${index}`,
      email: `${user}@example.com`,
      role: 'engineer',
      createdAt: start,
    };
    changes.push({ set: 'members', field: user, value: 'a:g1' });
    changes.push({ set: 'records', field: `user:${user}`, value: JSON.stringify(profile) });
    const units = String((index * 7_919) % 1_000_003);
    changes.push({ set: `consumed:${start}`, field: `usage:u:${user}`, value: units });
    if (index < LIMITS) changes.push({ set: 'limits', field: `usage:u:${user}`, value: '500000' });
    if (changes.length < PIECE && index < MEMBERS - 1) continue;
    changes.push({ incr: 'org', field: 'seatsUsed', by: changes.filter(isMember).length });
    await ledger.commit('bench', { changes, audit: '' });
    changes = [];
  }
}

function isMember(change: Change): boolean {
  return 'set' in change && change.set === 'members';
}

async function timed({ admin, adminToken }: BenchGateway, path: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`http://${admin}/v1/orgs/bench${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return performance.now() - began;
}

interface Load {
  readonly paced: Paced;
  readonly delay: LoopDelay;
}

async function underLoad(
  gateway: BenchGateway,
  perSecond: number,
  beside: () => Promise<void>,
): Promise<Load> {
  await gateway.ask();
  const headers = trusted();
  const headersOf = (index: number) => headers(index % USERS);
  const load = paced({ url: gateway.url, path: PATH, perSecond, seconds: SECONDS, headersOf });
  await beside();
  return { paced: await load, delay: (await gateway.ask()) as LoopDelay };
}

async function readAll(gateway: BenchGateway, times: Map<string, number[]>): Promise<void> {
  const until = performance.now() + SECONDS * 900;
  while (performance.now() < until)
    for (const [name, path] of Object.entries(READS)) {
      const list = times.get(name) ?? [];
      times.set(name, list);
      list.push(await timed(gateway, path));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

async function measure(folder: string): Promise<readonly Aim[]> {
  const upstream = await forkServer(import.meta.url, './gateway/upstream.js');
  const redis = await startRedis();
  const options = { name: 'strict', upstream: upstream.url, orgs: ORGS, routes: STRICT, redis: redis.url };
  const gateway = await startGateway({ ...options, ...withLoopDelay() }, folder);
  const ledger = await openRedis({ url: redis.url });
  const client = new Redis(redis.url.replace(/^unix:\/\//, ''), { protocol: 2 });
  try {
    await fill(ledger);
    const load = { url: gateway.url + PATH, headersOf: trusted(), expected: 200 };
    const { perSecond } = await fire({ ...load, connections: 64, seconds: 5 });
    const pace = perSecond * LOAD_SHARE;
    const alone = await underLoad(gateway, pace, async () => undefined);
    await client.config('SET', 'slowlog-log-slower-than', SLOW_US);
    await client.slowlog('RESET');
    const cold: number[] = [];
    const first = await underLoad(gateway, pace, async () => {
      cold.push(await timed(gateway, READS['users by consumption']));
    });
    const times = new Map<string, number[]>();
    const warm = await underLoad(gateway, pace, () => readAll(gateway, times));
    const slow = (await client.slowlog('GET', 1_000)) as [number, number, number, string[]][];
    report({ perSecond, cold: cold[0] ?? Number.NaN, times });
    for (const [, , us, args] of slow.slice(0, 5))
      process.stdout.write(`slow: ${us} us ${args.slice(0, 3).join(' ').slice(0, 80)}\n`);
    return aimsOf({ alone, first, warm, times, slow: slow.length });
  } finally {
    client.disconnect();
    await ledger.close();
    await gateway.stop();
    await redis.stop();
    await upstream.stop();
  }
}

interface Times {
  readonly perSecond: number;
  readonly cold: number;
  readonly times: ReadonlyMap<string, readonly number[]>;
}

function report({ perSecond, cold, times }: Times): void {
  const rows = [...times].map(([name, list]) => [
    name,
    String(list.length),
    ...[0.5, 0.95, 1].map((share) => quantile(list, share).toFixed(1)),
  ]);
  const load = `${Math.round(perSecond * LOAD_SHARE)} requests a second`;
  process.stdout.write(`${MEMBERS} users, ${LIMITS} limits, beside ${load}\n\n`);
  process.stdout.write(`${table(['read', 'times', 'p50 ms', 'p95 ms', 'max ms'], rows)}\n\n`);
  process.stdout.write(`cold, the first page of users: ${cold.toFixed(0)} ms\n`);
}

interface Outcome {
  readonly alone: Load;
  readonly first: Load;
  readonly warm: Load;
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly slow: number;
}

function aimsOf({ alone, first, warm, times, slow }: Outcome): Aim[] {
  return [
    ...[...times].map(([name, list]) => ({
      text: `${name}: p95`,
      measured: quantile(list, 0.95),
      most: 150,
      unit: ' ms',
    })),
    {
      text: 'p99 of the load, beside warm lists',
      measured: warm.paced.p99Us / alone.paced.p99Us,
      most: 1.25,
      unit: '×',
    },
    {
      text: 'p99 of the load, beside the cold list',
      measured: first.paced.p99Us / alone.paced.p99Us,
      most: 1.25,
      unit: '×',
    },
    {
      text: 'delay of the event loop without lists, p99',
      measured: alone.delay.p99Ms,
      most: 10,
      unit: ' ms',
    },
    { text: 'delay of the event loop, warm, p99', measured: warm.delay.p99Ms, most: 10, unit: ' ms' },
    { text: 'delay of the event loop, cold, p99', measured: first.delay.p99Ms, most: 10, unit: ' ms' },
    { text: 'calls of Redis longer than 2 ms', measured: slow, most: 0, unit: '' },
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-bench-'));
try {
  process.stdout.write(`${machineLine([`${MEMBERS} users`, `${LIMITS} limits`])}\n${commitLine()}\n\n`);
  process.stdout.write(`${verdicts(await measure(folder))}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
