// SIGTERM loses no request: another replica takes them over, what is under way is answered, and all is settled.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startLoad, until } from '../e2e/load.js';
import { Balancer } from '../support/balancer.js';
import { admin, as, ask, type GatewayProcess, spawnGateway, startGateway } from '../support/gateway.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 1000000 } } }';
const ROUTES = `
  - { match: 'GET /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: GET /measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 5 }]
`;

interface Fleet {
  readonly upstream: TestUpstream;
  readonly folder: string;
  readonly redis: RedisServer;
  spawn(server: string, spool?: string): Promise<GatewayProcess>;
}

async function fleet(t: Test): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-drain-'));
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const running: GatewayProcess[] = [];
  t.teardown(async () => {
    await Promise.all(running.map((one) => one.stop('SIGKILL')));
    await Promise.all([redis.stop(), upstream.close()]);
    rmSync(folder, { recursive: true });
  });
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS, routes: ROUTES };
  const spawn = async (server: string, spool?: string): Promise<GatewayProcess> => {
    const made = await spawnGateway({ ...parts, server, ...(spool === undefined ? {} : { spool }) }, folder);
    running.push(made);
    return made;
  };
  return { upstream, folder, redis, spawn };
}

/** What is consumed and held, in units. */
async function figures(at: string): Promise<{ consumed: number; held: number }> {
  const { body } = await admin(at, 'GET', '/orgs/acme/overview');
  const { quotas } = body as { quotas: { quota: string; consumed: number; held: number }[] };
  const { consumed, held } = quotas.find(({ quota }) => quota === 'usage') ?? { consumed: -1, held: -1 };
  return { consumed, held };
}

t.test('under load, with a second replica behind a TCP balancer', { skip: skipWithoutRedis }, async (t) => {
  const { upstream, spawn } = await fleet(t);
  const [leaves, stays] = await Promise.all([spawn(', drainMs: 1500'), spawn(', drainMs: 1500')]);
  const balancer = await Balancer.start([leaves, stays]);
  t.teardown(() => balancer.close());
  // Half of them take a while, so that there is always something under way; some leave holds.
  const headersOf = (count: number): Record<string, string> =>
    count % 2 === 0 ? { 'x-test-delay-ms': '100', 'x-test-fields': '["x-cost","2","set-cookie","a"]' } : {};
  const common = { gateways: [balancer.address], users: ['ana', 'ben', 'eva'], connections: 8, headersOf };
  const loads = [startLoad({ ...common, path: '/unit' })];
  const measured = {
    ...common,
    headersOf: () => ({ 'x-test-fields': '["x-cost","2"]', 'x-test-delay-ms': '30' }),
  };
  loads.push(startLoad({ ...measured, path: '/measured' }));
  const served = (status: number) => loads.reduce((sum, { counts }) => sum + (counts.get(status) ?? 0), 0);
  await until('both serve', () => served(200) > 200 && balancer.taken.every((taken) => taken > 0));

  const exit = leaves.stop('SIGTERM');
  await until('it says that it is not ready', async () => (await ask(leaves.ops, '/readyz')).status === 503);
  t.equal((await ask(leaves.ops, '/healthz')).status, 200);
  const direct = await ask(leaves.gateway, '/unit', { headers: as('eva') });
  t.equal(direct.status, 200, 'it serves on');
  t.equal(direct.headers.connection, 'close', 'and sends its clients away');
  t.equal(await exit, 0);
  const after = served(200);
  await until('the other one serves all', () => served(200) > after + 100);
  await Promise.all(loads.map((load) => load.stop()));

  const statuses = loads.flatMap(({ counts }) => [...counts.keys()]);
  t.strictSame([...new Set(statuses)], [200], 'no request failed');
  const [units = 0, held = 0] = loads.map(({ counts }) => counts.get(200) ?? 0);
  t.equal(upstream.log.length, units + held + 1, 'each was sent once');
  let now = await figures(stays.admin);
  await until('all is settled', async () => {
    now = await figures(stays.admin);
    return now.held === 0 && now.consumed === units + 1 + 2 * held;
  }).catch(() => undefined);
  t.strictSame(now, { consumed: units + 1 + 2 * held, held: 0 });
  t.equal(await stays.stop('SIGTERM'), 0);
});

t.test(
  'a request that does not end in time is cut off, and settled',
  { skip: skipWithoutRedis },
  async (t) => {
    const { upstream, spawn } = await fleet(t);
    const [leaves, stays] = await Promise.all([spawn(', drainMs: 0, finishMs: 300'), spawn(', drainMs: 0')]);
    const headers = { ...as('ana'), 'x-test-fields': '["x-cost","7"]' };
    const body = ask(leaves.gateway, '/measured', { headers: { ...headers, 'x-test-hold': 'body' } });
    const head = ask(leaves.gateway, '/measured', { headers: { ...headers, 'x-test-hold': 'head' } });
    const unit = ask(leaves.gateway, '/unit', { headers: { ...headers, 'x-test-hold': 'head' } });
    const outcomes = Promise.allSettled([body, head, unit]);
    await upstream.until(({ log }) => log.length === 3);
    t.strictSame(await figures(stays.admin), { consumed: 1, held: 10 });
    t.equal(await leaves.stop('SIGTERM'), 0);
    const [broken, ...refused] = await outcomes;
    t.equal(broken?.status, 'rejected', 'its client sees that the answer is not whole');
    for (const one of refused) {
      const { value } = one as PromiseFulfilledResult<Awaited<typeof head>>;
      t.equal(value.status, 503);
      t.match(JSON.parse(value.body), { code: 'shutting-down' });
    }
    // The upstream stated a cost for the one; for the others it gave no answer, so they cost nothing.
    t.strictSame(await figures(stays.admin), { consumed: 7, held: 0 });
    t.match(
      leaves.log.find(({ event }) => event === 'requests_cut_off'),
      { level: 40, requests: 3 },
    );
    const [draining = {}, stopped = {}] = ['draining', 'stopped'].map((name) =>
      leaves.log.find(({ event }) => event === name),
    );
    t.match(draining, { level: 30, requests: 3 });
    const left = Date.parse(String(draining.until)) - Number(draining.time);
    t.ok(left > 200 && left <= 300, `finishMs from then: ${left} ms`);
    t.match(stopped, { level: 30, requestsCutOff: 3, settlements: 'delivered' });
    t.equal(leaves.log.at(-1), stopped, 'it is the last line');
    t.notOk(leaves.log.some(({ event }) => event === 'unexpected_error'));
    upstream.release();
  },
);

t.test('a second signal waits for nothing', { skip: skipWithoutRedis }, async (t) => {
  const { spawn } = await fleet(t);
  const gateway = await spawn(', drainMs: 60000');
  const ended = gateway.stop('SIGTERM');
  gateway.child.kill('SIGTERM');
  await until('it drains', async () => (await ask(gateway.ops, '/readyz')).status === 503);
  // npm sends one Ctrl-C twice: that soon, it is the same signal.
  await delay(400);
  t.equal((await ask(gateway.gateway, '/unit', { headers: as('ana') })).status, 200, 'it serves');
  gateway.child.kill('SIGTERM');
  t.equal(await ended, 1);
});

t.test('SIGINT does not wait for balancers', { skip: skipWithoutRedis }, async (t) => {
  const { spawn } = await fleet(t);
  const gateway = await spawn(', drainMs: 60000');
  t.equal(await gateway.stop('SIGINT'), 0);
});

/** So many requests of each kind: one costs 7, one 1, and one gives its unit back. */
const EACH = 20;
const COSTS = { consumed: EACH * 8, held: 0 };

/** A stop without the store, beside drainMs and finishMs. */
const STOP_MOST_MS = 12_000;

/** Ends a gateway while Redis answers nothing and all that it admitted is still to be settled. */
async function endWithoutStore(t: Test, { upstream, redis }: Fleet, gateway: GatewayProcess) {
  const headers = { ...as('ana'), 'x-test-hold': 'head' };
  const fields = { 'x-test-fields': '["x-cost","7"]' };
  const requests = Array.from({ length: EACH }, () => [
    ask(gateway.gateway, '/measured', { headers: { ...headers, ...fields } }),
    ask(gateway.gateway, '/unit', { headers }),
    ask(gateway.gateway, '/unit', { headers: { ...headers, 'x-test-status': '500' } }),
  ]).flat();
  await upstream.until(({ log }) => log.length === requests.length);
  process.kill(redis.pid, 'SIGSTOP');
  upstream.release();
  const statuses = (await Promise.all(requests)).map(({ status }) => status);
  t.equal(statuses.filter((status) => status === 200).length, 2 * EACH);
  const from = performance.now();
  const code = await gateway.stop('SIGTERM');
  const ms = Math.round(performance.now() - from);
  process.kill(redis.pid, 'SIGCONT');
  // drainMs is 0, and no request is under way.
  t.ok(ms < STOP_MOST_MS, `the stop took ${ms} ms`);
  return code;
}

async function settles(t: Test, at: string, expected: unknown): Promise<void> {
  let now = await figures(at);
  await until('it is settled', async () => {
    now = await figures(at);
    return JSON.stringify(now) === JSON.stringify(expected);
  }).catch(() => undefined);
  t.strictSame(now, expected);
}

t.test('what Redis did not take is spooled, and delivered once', { skip: skipWithoutRedis }, async (t) => {
  const all = await fleet(t);
  const spool = join(all.folder, 'spool');
  const first = await all.spawn(', drainMs: 0', spool);
  t.equal(await endWithoutStore(t, all, first), 0, 'nothing is lost');
  t.match(first.log.at(-1), { event: 'stopped', requestsCutOff: 0, settlements: 'spooled' });
  const [file = '', ...others] = readdirSync(spool);
  t.match(file, /\.spool$/);
  t.strictSame(others, []);
  t.equal(statSync(join(spool, file)).mode & 0o777, 0o600);
  const before = readFileSync(join(spool, file));
  // Both look for it at once.
  const [next, other] = await Promise.all([
    all.spawn(', drainMs: 0', spool),
    all.spawn(', drainMs: 0', spool),
  ]);
  await settles(t, next.admin, COSTS);
  await until('the file is gone', () => readdirSync(spool).length === 0);
  const delivered = [...next.log, ...other.log].filter(({ event }) => event === 'spool_delivered');
  t.equal(delivered.length, 1, 'by one of them');
  t.equal(await other.stop('SIGTERM'), 0);
  // As if the first had been killed before it could remove the file; the mark of the last call is cut off.
  writeFileSync(join(spool, file.replace(/spool$/, 'gone.claimed')), `${before}{"done":`, { mode: 0o600 });
  utimesSync(join(spool, file.replace(/spool$/, 'gone.claimed')), 0, 0);
  await until('the file is gone again', () => readdirSync(spool).length === 0);
  t.strictSame(await figures(next.admin), COSTS, 'once');
  t.equal(await next.stop('SIGTERM'), 0);
});

t.test('without a spool it is logged, and the exit code says so', { skip: skipWithoutRedis }, async (t) => {
  const all = await fleet(t);
  const gateway = await all.spawn(', drainMs: 0');
  t.equal(await endWithoutStore(t, all, gateway), 1);
  t.match(gateway.log.at(-1), { event: 'stopped', settlements: 'lost' });
  const lines = gateway.log.filter(({ event }) => event === 'settlement_undelivered');
  const kinds = lines.map(({ op }) => (op as { kind: string }).kind).sort();
  t.equal(kinds.filter((kind) => kind === 'settle').length, EACH);
  t.equal(kinds.filter((kind) => kind === 'refund').length, EACH);
  t.ok(lines.every(({ level, org }) => level === 50 && org === 'acme'));
});

t.test('a spool that cannot be written to is refused at start', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-drain-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), '');
  const parts = { upstream: 'http://127.0.0.1:1', orgs: ORGS, routes: ROUTES, spool: join(folder, 'file') };
  const timers = timersOf();
  await t.rejects(startGateway(parts), { message: /^spool\.path: the folder .*file cannot be written to$/ });
  t.ok(timersOf() <= timers, 'and nothing runs on');
});

function timersOf(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
