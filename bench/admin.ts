/**
 * `npm run bench:admin -- [users] [limits] [folder]`: what an admin waits for in an org of 100,000 users and 10,000 limits, while the same
 * gateway serves load at 40 % of its capacity from the same Redis, and what the load notices of it. The gateway is that of this build,
 * or of the build in a folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openRedis } from '../src/ledger/redis/index.js';
import { startRedis } from '../test/support/redis.js';
import { fill } from './admin/fill.js';
import { ORGS, PATH, STRICT, trusted, USERS } from './gateway/config.js';
import { fire } from './gateway/load.js';
import { type BenchGateway, startGateway, withLoopDelay } from './gateway/start.js';
import type { LoopDelay } from './lib/loop-delay.js';
import { commitLine, machineLine } from './lib/machine.js';
import { type Paced, paced } from './lib/paced.js';
import { quantile } from './lib/rounds.js';
import { forkServer } from './lib/server.js';
import { type Aim, table, verdicts } from './lib/table.js';

const [users = '100000', limits = '10000', root] = process.argv.slice(2);
const [MEMBERS, LIMITS] = [Number(users), Number(limits)];
const LOAD_SHARE = 0.4;
const SECONDS = 20;
const SLOW_US = 2_000;

const FIRST_USERS = '/users?sort=-consumed:usage';
const LAST_ACTIVE = '/users?sort=-lastActiveAt';
const TOP_USERS = '/usage/history?period=30d&users=50';
const READS = {
  'users by consumption': FIRST_USERS,
  'users by last activity': LAST_ACTIVE,
  'users, searched': '/users?q=m9999',
  'limits, blocked': '/limits?status=blocked',
  overview: '/overview',
  'top 50 users of 30 days': TOP_USERS,
  'one user, 30 days': '/usage/history?period=30d&user=m7&users=0',
} as const;

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
  const build = root === undefined ? {} : { root };
  const gateway = await startGateway({ ...options, ...withLoopDelay(), ...build }, folder);
  const ledger = await openRedis({ url: redis.url });
  const client = new Redis(redis.url.replace(/^unix:\/\//, ''), { protocol: 2 });
  try {
    await fill(ledger, { members: MEMBERS, limits: LIMITS });
    const load = { url: gateway.url + PATH, headersOf: trusted(), expected: 200 };
    const { perSecond } = await fire({ ...load, connections: 64, seconds: 5 });
    const pace = perSecond * LOAD_SHARE;
    const alone = await underLoad(gateway, pace, async () => undefined);
    await client.config('SET', 'slowlog-log-slower-than', SLOW_US);
    await client.slowlog('RESET');
    const cold = new Map<string, number>();
    const first = await underLoad(gateway, pace, async () => {
      for (const path of [FIRST_USERS, LAST_ACTIVE, TOP_USERS]) cold.set(path, await timed(gateway, path));
    });
    const times = new Map<string, number[]>();
    const warm = await underLoad(gateway, pace, () => readAll(gateway, times));
    const slow = (await client.slowlog('GET', 1_000)) as [number, number, number, string[]][];
    report({ perSecond, cold, times });
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
  readonly cold: ReadonlyMap<string, number>;
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
  for (const [path, ms] of cold) process.stdout.write(`cold, ${path}: ${ms.toFixed(0)} ms\n`);
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
