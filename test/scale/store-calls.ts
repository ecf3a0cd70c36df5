/**
 * `npm run scale:store`: which calls hold Redis for more than 2 ms. Four gateways and an org of 20,000 users: its creation, 10,000 idle orgs,
 * a burst of first requests, and a minute of fixed and measured costs, settlements, refunds, folding, admin lists, changes of limits, and
 * *distribute* over all users. Prints the slow log of Redis by command after each. Redis measures by the clock, and a machine with other
 * tenants takes the processor away now and then: last, as many calls of a script that only counts, of the same mean time and beside as
 * many requests, show how many are slow for that alone. Exits 1 if more calls of the load were slow.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Change, Commit } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { loadScript } from '../../src/ledger/redis/scripts.js';
import { startLoad } from '../e2e/load.js';
import { fire } from '../store/first-requests.js';
import { admin, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const SLOW_US = 2_000;
const LOAD_MS = Number(process.env.SECONDS ?? 60) * 1_000;
const IDLE_MS = 20_000;
const IDLE_ORGS = Number(process.env.ORGS ?? 10_000);
const USERS = 20_000;
const GATEWAYS = 4;
const GROUPS = 20;
const CONNECTIONS = 48;
const LIST_EVERY_MS = 1_000;
const DISTRIBUTE_EVERY = 5;

const users = Array.from({ length: USERS }, (_, user) => `user${user}`);
const groups = Array.from({ length: GROUPS }, (_, group) => `g${group}`);
const SCRIPTS = readdirSync(new URL('../../../lua', import.meta.url))
  .filter((file) => file.endsWith('.lua'))
  .map((file) => file.slice(0, -'.lua'.length));
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

let waitedBefore = 0;

/** How long Redis waited for a processor in all: the slow log counts that, too. */
function waitedMs(): number {
  const [, waited = 0] = readFileSync(`/proc/${redis.pid}/schedstat`, 'utf8').split(' ').map(Number);
  return waited / 1e6;
}

/** Of the time since the last call. Returns how many there were. */
async function printSlow(client: Client, what: string): Promise<number> {
  const waited = waitedMs();
  process.stdout.write(`Redis waited ${Math.round(waited - waitedBefore)} ms for a processor. `);
  waitedBefore = waited;
  const [calls, found] = [await callsOf(client), await slowCalls(client)];
  await client.call('CONFIG', 'RESETSTAT');
  await client.call('SLOWLOG', 'RESET');
  process.stdout.write(
    `${what}: ${calls.get('evalsha') ?? 0} scripts ran; above ${SLOW_US} µs: ${found.size === 0 ? 'none' : ''}\n`,
  );
  if (found.size > 0)
    process.stdout.write('| call | count | median µs | longest µs |\n|---|---:|---:|---:|\n');
  for (const [name, times] of found) {
    times.sort((a, b) => a - b);
    process.stdout.write(`| ${name} | ${times.length} | ${times[times.length >> 1]} | ${times.at(-1)} |\n`);
  }
  return [...found.values()].flat().length;
}

/** As many script calls as the load made, in the same time, but without data. `ARGV[1]`: how far to count. */
const COUNTING = "local n = 0 for i = 1, ARGV[1] do n = n + #redis.sha1hex('x') end return n";

interface ScriptCalls {
  readonly calls: number;
  readonly meanUs: number;
}

async function scriptCalls(client: Client): Promise<ScriptCalls> {
  const stats = await client.info('commandstats');
  const [, calls, , meanUs] =
    /^cmdstat_evalsha:calls=(\d+),usec=(\d+),usec_per_call=([\d.]+)/m.exec(stats) ?? [];
  return { calls: Number(calls ?? 0), meanUs: Number(meanUs ?? 0) };
}

async function countInLua(client: Client, { calls, meanUs }: ScriptCalls): Promise<void> {
  const sha = String(await client.script('LOAD', COUNTING));
  const steps = 100;
  await client.call('CONFIG', 'RESETSTAT');
  for (let call = 0; call < 200; call += 1) await client.evalsha(sha, 0, steps);
  const { meanUs: trialUs } = await scriptCalls(client);
  const needed = Math.round((steps * meanUs) / trialUs);
  await client.call('SLOWLOG', 'RESET');
  await client.call('CONFIG', 'RESETSTAT');
  const began = performance.now();
  for (let sent = 0; sent < calls; ) {
    const due = Math.min(calls, Math.ceil(((performance.now() - began) / LOAD_MS) * calls));
    await Promise.all(Array.from({ length: due - sent }, () => client.evalsha(sha, 0, needed)));
    sent = due;
    await delay(1);
  }
}

/** Lists, a change of a limit, and a distribution over all users, as an admin at work. Returns the answers by status. */
async function administer(address: string, isOver: () => boolean): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const call = async (method: string, path: string, body?: unknown): Promise<void> => {
    const { status } = await admin(address, method, `/orgs/acme${path}`, body);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  };
  await call('POST', '/limits', { group: 'g0', quota: 'lds', units: 1 });
  for (let round = 0; !isOver(); round += 1) {
    const lists = ['/users?pageSize=200', '/limits?pageSize=200', '', '/usage'].map((path) =>
      call('GET', path),
    );
    const change = call('PATCH', '/limits/lds:g:g0', { units: round + 1 });
    if (round % DISTRIBUTE_EVERY === 0) await call('POST', '/limits/distribute', { quota: 'usage' });
    await Promise.all([...lists, change]);
    await delay(LIST_EVERY_MS);
  }
  return counts;
}

/** Redis measures by the clock: what it reports as slow would mostly be waiting for a processor that the gateways have. */
function prefer(pid: number): string {
  const { status } = spawnSync('chrt', ['--fifo', '--all-tasks', '--pid', '1', String(pid)]);
  return status === 0
    ? 'Redis runs before all else'
    : 'Redis shares the processors: run this as root, with chrt';
}

function shown(counts: ReadonlyMap<number, number>): string {
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ');
}

const ROUTES = `
  - { match: 'GET /v3/free', action: none, upstream: up, charges: [] }
  - { match: 'GET /v3/unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /v3/two', action: two, upstream: up, charges: [{ quota: usage, units: 1 }, { quota: lds, gate: true }] }
  - match: GET /v3/measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 5, floor: 1 }]
`;
/** Every fourth answer does not count, so that its charge is refunded. */
const headersOf = (count: number): Record<string, string> => ({
  'x-test-fields': '["x-cost","3"]',
  ...(count % 4 === 3 ? { 'x-test-status': '500' } : {}),
});

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
    plans: { usage: { allowance: 100000000 }, lds: { allowance: 100000000 } }`;
const client = new Redis(redis.socket, { protocol: 2 });
const gateways: GatewayProcess[] = [];
let slow = 0;
process.stdout.write(
  `node ${process.versions.node}, load before the start ${loadavg()[0]?.toFixed(1)}; ${prefer(redis.pid)}\n`,
);
try {
  for (let index = 0; index < GATEWAYS; index += 1)
    gateways.push(
      await spawnGateway({ redis: redis.url, upstream: upstream.url, orgs, routes: ROUTES }, folder),
    );
  await printSlow(client, `start of ${GATEWAYS} gateways, with an org of ${USERS} users`);
  await createOrgs(redis.url);
  await delay(10_000);
  await idle(client);
  await printSlow(client, `${IDLE_ORGS} idle orgs`);
  const addresses = gateways.map(({ gateway }) => gateway);
  const burst = await fire(addresses);
  await printSlow(client, `burst of first requests (${JSON.stringify(burst.statuses)})`);
  const endsAt = performance.now() + LOAD_MS;
  const load = (path: string, connections: number) =>
    startLoad({ gateways: addresses, connections, path, users, org: 'acme', headersOf });
  const loads = [
    load('/v3/unit', CONNECTIONS / 2),
    load('/v3/two', CONNECTIONS / 4),
    load('/v3/measured', CONNECTIONS / 4),
  ];
  const asked = await administer(gateways[0]?.admin ?? '', () => performance.now() > endsAt);
  await Promise.all(loads.map((one) => one.stop()));
  const counts = new Map<number, number>();
  for (const [status, count] of loads.flatMap((one) => [...one.counts]))
    counts.set(status, (counts.get(status) ?? 0) + count);
  process.stdout.write(`requests: ${shown(counts)}; admin: ${shown(asked)}\n`);
  const ran = await scriptCalls(client);
  slow = await printSlow(client, `${LOAD_MS / 1_000} s of load, ${ran.meanUs} µs a script`);
  const free = load('/v3/free', CONNECTIONS);
  await countInLua(client, ran);
  await free.stop();
  process.stdout.write(`unmetered requests: ${shown(free.counts)}\n`);
  slow -= await printSlow(client, `as many of the same time without data`);
} finally {
  client.disconnect();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await upstream.close();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(slow <= 0 ? 0 : 1);
