/**
 * `npm run scale:store`: which calls hold Redis for more than 2 ms while requests, settlements, admin lists and folding run, and
 * how many calls 10,000 idle orgs cost. Prints the slow log of Redis by command; another load on the machine adds to it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Change, Commit } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { loadScript } from '../../src/ledger/redis/scripts.js';
import { startLoad } from '../e2e/load.js';
import { admin, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const SLOW_US = 2_000;
const LOAD_MS = Number(process.env.SECONDS ?? 60) * 1_000;
const IDLE_MS = 20_000;
const IDLE_ORGS = Number(process.env.ORGS ?? 10_000);
const USERS = 2_000;
const GROUPS = 20;
const CONNECTIONS = 48;
const LIST_EVERY_MS = 1_000;
const HIGHEST = -20;

const users = Array.from({ length: USERS }, (_, user) => `user${user}`);
const groups = Array.from({ length: GROUPS }, (_, group) => `g${group}`);
const SCRIPTS = [
  'apply',
  'commit',
  'read',
  'fold',
  'pending-work',
  'due-orgs',
  'forget-producers',
  'presence',
  'lease',
];
const NAMES = new Map(SCRIPTS.map((name) => [loadScript(name).sha, name]));

type Client = Redis;

async function createOrgs(url: string): Promise<void> {
  const ledger = await openRedis({ url });
  const changes = (start: number, end: number): Change[] =>
    Object.entries({
      epoch: 'e1',
      start,
      end,
      rule: '{"every":"hour","anchor":0,"timeZone":"UTC"}',
      ruleVersion: 1,
      state: 'open',
      seats: '',
      seatsUsed: 0,
      'plan:usage': '1000000:h',
    }).map(([field, value]) => ({ set: 'org', field, value: String(value) }));
  const now = await ledger.clock();
  const commit: Commit = { version: 0, changes: changes(now - 1_000, now + 3_600_000), audit: '' };
  for (let org = 0; org < IDLE_ORGS; org += 100)
    await Promise.all(Array.from({ length: 100 }, (_, index) => ledger.commit(`idle${org + index}`, commit)));
  await ledger.close();
}

async function callsOf(client: Client): Promise<Map<string, number>> {
  const stats = await client.info('commandstats');
  const found = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return new Map(found.map(([, name = '', calls]) => [name, Number(calls)]));
}

/** Without those that scripts make, and without this run's own. */
const OUTSIDE = ['evalsha', 'scard', 'sscan', 'hscan', 'zadd', 'xrange', 'unlink', 'info'];

async function idle(client: Client): Promise<void> {
  const [before, scripts] = [await callsOf(client), OUTSIDE];
  await delay(IDLE_MS);
  const after = await callsOf(client);
  const rates = scripts.map((name) => {
    const calls = (after.get(name) ?? 0) - (before.get(name) ?? 0) - (name === 'info' ? 1 : 0);
    return [name, (calls * 1_000) / IDLE_MS] as const;
  });
  const sum = rates.reduce((total, [, rate]) => total + rate, 0);
  const shown = rates.filter(([, rate]) => rate > 0).map(([name, rate]) => `${name} ${rate.toFixed(1)}`);
  process.stdout.write(`${IDLE_ORGS} idle orgs: ${sum.toFixed(1)} calls a second (${shown.join(', ')})\n`);
}

type SlowEntry = readonly [id: number, at: number, us: number, args: readonly string[]];

async function slowCalls(client: Client): Promise<Map<string, number[]>> {
  const entries = (await client.call('SLOWLOG', 'GET', '-1')) as SlowEntry[];
  const byName = new Map<string, number[]>();
  for (const [, , us, [command = '', sha = '']] of entries) {
    const name = NAMES.get(sha) ?? command.toLowerCase();
    byName.set(name, [...(byName.get(name) ?? []), us]);
  }
  return byName;
}

async function printSlow(client: Client): Promise<void> {
  const calls = await callsOf(client);
  process.stdout.write(`${calls.get('evalsha')} scripts ran; above ${SLOW_US} µs:\n`);
  process.stdout.write('| call | count | median µs | longest µs |\n|---|---:|---:|---:|\n');
  for (const [name, times] of await slowCalls(client)) {
    times.sort((a, b) => a - b);
    process.stdout.write(`| ${name} | ${times.length} | ${times[times.length >> 1]} | ${times.at(-1)} |\n`);
  }
}

/** Lists, and a change of a limit, as an admin at work. */
async function administer(address: string, isOver: () => boolean): Promise<number> {
  let failed = 0;
  while (!isOver()) {
    const statuses = await Promise.all([
      admin(address, 'GET', '/orgs/acme/users?pageSize=200'),
      admin(address, 'GET', '/orgs/acme/limits?pageSize=200'),
      admin(address, 'GET', '/orgs/acme'),
    ]);
    failed += statuses.filter(({ status }) => status !== 200).length;
    await delay(LIST_EVERY_MS);
  }
  return failed;
}

/** Redis measures by the clock: without priority, what it reports as slow is mostly waiting for a processor. */
function prefer(pid: number): string {
  try {
    setPriority(pid, HIGHEST);
    return 'Redis has priority';
  } catch {
    return 'Redis has no priority: run this as root';
  }
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-store-calls-'));
const redis = await startRedis({
  args: ['--slowlog-log-slower-than', String(SLOW_US), '--slowlog-max-len', '10000'],
});
const upstream = await TestUpstream.start();
const members = users.map((user, index) => `${user}: { groups: [${groups[index % GROUPS]}] }`);
const orgs = `
  acme:
    cycle: { every: month, anchor: 1, timeZone: UTC }
    groups: { ${groups.map((group) => `${group}: {}`).join(', ')} }
    users: { ${members.join(', ')} }
    plans: { usage: { allowance: 100000000 } }`;
await createOrgs(redis.url);
const gateway = await spawnGateway({ redis: redis.url, upstream: upstream.url, orgs }, folder);
const client = new Redis(redis.socket, { protocol: 2 });
process.stdout.write(
  `node ${process.versions.node}, load before the start ${loadavg()[0]?.toFixed(1)}; ${prefer(redis.pid)}\n`,
);
try {
  await delay(10_000);
  await idle(client);
  await printSlow(client);
  await client.call('SLOWLOG', 'RESET');
  const endsAt = performance.now() + LOAD_MS;
  const load = (path: string, connections: number) =>
    startLoad({ gateways: [gateway.gateway], connections, path, users, org: 'acme' });
  const loads = [load('/v3/unit', CONNECTIONS), load('/v3/maps/tile', CONNECTIONS / 3)];
  const failed = await administer(gateway.admin, () => performance.now() > endsAt);
  await Promise.all(loads.map((one) => one.stop()));
  const answered = loads.flatMap(({ counts }) =>
    [...counts].map(([status, count]) => `${count} × ${status}`),
  );
  process.stdout.write(`requests: ${answered.join(', ')}; failed lists: ${failed}\n`);
  await printSlow(client);
} finally {
  client.disconnect();
  await gateway.stop();
  await upstream.close();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
