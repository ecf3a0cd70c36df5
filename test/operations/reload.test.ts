// SIGHUP takes a new config without dropping a request; one that is wrong changes nothing, and all its mistakes are logged.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { comesTo, startLoad, until } from '../e2e/load.js';
import { metricsOf } from '../observe/support.js';
import {
  admin,
  as,
  ask,
  type ConfigParts,
  type GatewayProcess,
  type LogLine,
  spawnGateway,
} from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 100000 } } }';
const ROUTES = `
  - { match: 'GET /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /plain', action: plain, upstream: up, charges: [{ quota: usage, units: 1 }] }
`;

interface Reloadable {
  readonly gateway: GatewayProcess;
  readonly upstream: TestUpstream;
  /** Changes the file, sends SIGHUP, and resolves with the line that tells what came of it. */
  reload(change: (text: string) => string): Promise<LogLine>;
  consumed(org?: string): Promise<number>;
}

async function reloadable(t: Test, store: Partial<ConfigParts> = {}): Promise<Reloadable> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-reload-'));
  const upstream = await TestUpstream.start();
  const gateway = await spawnGateway(
    { upstream: upstream.url, orgs: ORGS, routes: ROUTES, ...store },
    folder,
  );
  t.teardown(async () => {
    await gateway.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  const reloads = (): LogLine[] => gateway.log.filter(({ event }) => String(event).startsWith('config_re'));
  return {
    gateway,
    upstream,
    async reload(change) {
      const before = reloads().length;
      writeFileSync(gateway.file, change(readFileSync(gateway.file, 'utf8')));
      gateway.child.kill('SIGHUP');
      await until('the reload is logged', () => reloads().length > before);
      return reloads().at(-1) ?? {};
    },
    async consumed(org = 'acme') {
      const { body } = await admin(gateway.admin, 'GET', `/orgs/${org}/overview`);
      const { quotas } = body as { quotas: { quota: string; consumed: number }[] };
      return quotas.find(({ quota }) => quota === 'usage')?.consumed ?? Number.NaN;
    },
  };
}

t.test('prices, routes, upstreams, identity and counts change without affecting open requests', async (t) => {
  const { gateway, upstream, reload, consumed } = await reloadable(t);
  const other = await TestUpstream.start();
  t.teardown(() => other.close());
  const load = startLoad({
    gateways: [gateway.gateway],
    connections: 4,
    path: '/plain',
    users: ['ana', 'ben'],
  });
  await until('it serves', () => (load.counts.get(200) ?? 0) > 50);
  // Under way while all of it changes: it ends as it began.
  const held = { ...as('eva'), 'x-test-hold': 'head', 'x-test-status': '404' };
  const underWay = ask(gateway.gateway, '/unit', { headers: held });
  await upstream.until(({ log }) => log.some(({ target }) => target === '/unit'));

  const line = await reload((text) =>
    text
      .replace('upstreams: {', `upstreams: {"other":{"url":"${other.url}"},`)
      .replace('units: 1 }] }', 'units: 2.5 }] }')
      .replace('routes:\n', "routes:\n  - { match: 'GET /new', identity: none, upstream: other }\n")
      .replace('usage: { unit: units, decimals: 1 }', 'usage: { unit: units, decimals: 1, counts: [404] }')
      .replace('orgs:\n', 'orgs:\n  globex: { plans: { usage: { allowance: 5 } } }\n')
      .replace('user: x-quota-user', 'user: x-other-user'),
  );
  t.match(line, { level: 30, event: 'config_reloaded' });
  upstream.release();
  t.equal((await underWay).status, 404);
  const after = { 'x-quota-org': 'acme', 'x-other-user': 'eva' };
  await load.stop();
  const served = load.counts.get(200) ?? 0;
  t.ok((load.counts.get(400) ?? 0) > 0, 'who names the user as before is nobody now');
  t.strictSame([...load.counts.keys()].sort(), [200, 400], 'no request was dropped');
  t.ok(upstream.connections <= 5, 'four clients and the one under way: the pool that did not change is kept');
  await comesTo(t, consumed, served, 'the 404 under way cost nothing, as when it began');

  const unit = (status: string) =>
    ask(gateway.gateway, '/unit', { headers: { ...after, 'x-test-status': status } });
  t.equal((await unit('404')).status, 404);
  await comesTo(t, consumed, served + 2.5, 'now a 404 counts, and more');
  t.equal((await unit('200')).status, 200);
  await comesTo(t, consumed, served + 2.5, 'and a 200 does not');
  t.equal((await ask(gateway.gateway, '/new')).status, 200);
  t.equal(other.log.length, 1);
  t.equal(await consumed('globex'), 0, 'a new org is there');

  await reload((text) => text.replace(/ {2}- .*GET \/new.*\n/, '').replace(/"other":\{.*?\},/, ''));
  t.equal((await ask(gateway.gateway, '/new')).status, 404, 'a route that is gone');
  await other.until(({ open }) => open === 0);
});

t.test('a config with mistakes changes nothing', async (t) => {
  const { gateway, reload } = await reloadable(t);
  const good = readFileSync(gateway.file, 'utf8');
  const line = await reload((text) =>
    text
      .replace('upstream: up', 'upstream: nowhere')
      .replace('usage: { unit: units, decimals: 1 }', 'usage: { unit: units, decimals: 9 }')
      .replace('  - {', "  - { match: 'GET /unit', action: free, upstream: up, charges: [] }\n  - {"),
  );
  t.match(line, { level: 50, event: 'config_refused' });
  const mistakes = line.mistakes as string[];
  t.equal(mistakes.length, 3, 'all of them');
  for (const mistake of mistakes) t.match(mistake, new RegExp(`^${gateway.file}:\\d+:\\d+ /`));
  t.match(mistakes.join('\n'), /decimals.*\n.*nowhere|nowhere.*\n.*decimals/s);
  const headers = as('ana');
  t.match(
    (await ask(gateway.gateway, '/unit', { headers })).headers,
    { ratelimit: /./ },
    'the price is as before',
  );
  t.match(await reload(() => 'a: [b'), { event: 'config_refused' });
  t.equal((await ask(gateway.gateway, '/unit', { headers })).status, 200);
  const { values } = await metricsOf(gateway.ops);
  t.equal(values.get('quotagate_reloads_total{what="config",outcome="refused"}'), 2);
  t.match(await reload(() => good), { level: 30, event: 'config_reloaded' });
  const { values: then } = await metricsOf(gateway.ops);
  t.equal(then.get('quotagate_reloads_total{what="config",outcome="taken"}'), 1);
});

t.test('what cannot be taken is refused as a whole, with its secret file', async (t) => {
  const { gateway, reload } = await reloadable(t);
  const line = await reload((text) =>
    text
      .replace(
        'upstreams: {"up":{',
        'upstreams: {"up":{"setHeaders":{"authorization":{"file":"/nowhere/token"}},',
      )
      .replace('GET /plain', 'GET /renamed'),
  );
  t.match(line, { level: 50, event: 'config_refused', mistakes: [/setHeaders\/authorization: .*nowhere/] });
  t.equal((await ask(gateway.gateway, '/plain', { headers: as('ana') })).status, 200);
  t.equal((await ask(gateway.gateway, '/renamed', { headers: as('ana') })).status, 404);
});

t.test('what waits for a restart is named, and the rest is taken', async (t) => {
  const { gateway, reload } = await reloadable(t);
  const line = await reload((text) =>
    text
      .replace('gateway: 127.0.0.1:0', 'gateway: 127.0.0.1:1')
      .replace('deadlineMs: 5000', 'deadlineMs: 60')
      .replace('usage: { unit: units, decimals: 1 }', 'usage: { unit: units, decimals: 2 }')
      .replace('lds: { unit: calls }', 'more: { unit: calls }')
      .replace('GET /plain', 'GET /renamed'),
  );
  t.match(line, { level: 40, event: 'config_reloaded' });
  t.strictSame((line.waiting as string[]).sort(), [
    'quotas.lds',
    'quotas.more',
    'quotas.usage.decimals',
    'server.gateway',
    'store.deadlineMs',
  ]);
  t.equal((await ask(gateway.gateway, '/renamed', { headers: as('ana') })).status, 200);
  const next = await reload((text) =>
    text.replace('GET /renamed', 'GET /priced').replace('units: 1 }] }\n\n', 'units: 0.25 }] }\n\n'),
  );
  t.match(
    next,
    { level: 50, err: { message: /0.25 is not an amount/ } },
    'an amount that needs the new decimals',
  );
  t.equal((await ask(gateway.gateway, '/renamed', { headers: as('ana') })).status, 200);
});

t.test('open mode is closed during an outage', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const store = ', whenDown: { open: { units: 10, seconds: 60 } }';
  const { gateway, reload } = await reloadable(t, { redis: redis.url, store, deadlineMs: 500 });
  const status = async () => (await ask(gateway.gateway, '/unit', { headers: as('ana') })).status;
  t.equal(await status(), 200);
  await redis.stop();
  t.equal(await status(), 200, 'without a decision');
  const line = await reload((text) => text.replace(store, ', whenDown: closed'));
  t.match(line, { level: 30, event: 'config_reloaded' });
  t.equal(await status(), 503);
  // An orderly stop waits for the store, to deliver what was served.
  await gateway.stop('SIGKILL');
});

t.test('orgs of the file that differ from the ledger are logged, and stay', async (t) => {
  const { gateway, reload } = await reloadable(t);
  const lines = () => gateway.log.filter(({ event }) => event === 'orgs_differ');
  await reload((text) => text);
  t.same(lines(), [], 'nothing differs');
  const limits = 'groups: { eng: {} }, limits: [{ group: eng, quota: usage, units: 5 }]';
  await reload((text) =>
    text.replace('allowance: 100000 } }', `allowance: 7 } }, thresholds: [75], ${limits}`),
  );
  t.match(lines().at(-1), {
    level: 40,
    orgs: { acme: { 'plan.set': 1, 'group.add': 1, 'limit.add': 1, 'notifications.set': 1 } },
  });
  const { body } = await admin(gateway.admin, 'GET', '/orgs/acme/export');
  t.match(body, { plans: { usage: { allowance: 100_000 } }, limits: [] });
});
