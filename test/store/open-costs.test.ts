// In open mode a request is charged its true cost, as with a store, and its response says that no budget was checked.
import t from 'tap';
import { openBoundOf } from '../../src/app/open-mode.js';
import { loadConfig } from '../../src/config/load.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { figuresOf } from '../e2e/figures.js';
import { comesTo, until } from '../e2e/load.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { as, ask, configText, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ROUTES = `
  - { match: GET /closed, action: closed, upstream: up, charges: [{ quota: usage, units: 1 }], whenDown: closed }
  - { match: GET /fixed, action: fixed, upstream: up, charges: [{ quota: usage, units: 2.5 }] }
  - match: GET /measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 4, floor: 1 }, { quota: lds, units: 1 }]
    whenDown: { open: { units: 7, seconds: 30 } }
`;
const ORGS = '  acme: { plans: { usage: { allowance: 1000 }, lds: { allowance: 10 } } }';
const STORE = ', whenDown: { open: { units: 10, seconds: 60 } }';

t.test('bounds are in units of each quota; a route uses its own bounds or those of the store', async (t) => {
  const config = loadConfig(
    configText({ redis: 'redis://h', store: STORE, upstream: 'http://u', routes: ROUTES, orgs: ORGS }),
    {},
  );
  t.strictSame(
    config.routes.map((route) => openBoundOf(route, config)),
    [
      undefined,
      { units: { usage: 100, lds: 10 }, lastMs: 60_000 },
      { units: { usage: 70, lds: 7 }, lastMs: 30_000 },
    ],
  );
  const plain = loadConfig(configText({ redis: 'redis://h', upstream: 'http://u', orgs: ORGS }), {});
  t.ok(
    plain.routes.every((route) => openBoundOf(route, plain) === undefined),
    'routes fail closed by default',
  );
});

t.test(
  'open mode charges true costs within its bounds and settles them when the store returns',
  { skip: skipWithoutRedis },
  async (t) => {
    const redis = await startRedis();
    const proxy = await FaultProxy.start(redis.socket);
    const ledger = await openRedis({ url: redis.url });
    const upstream = await TestUpstream.start();
    const parts = { redis: proxy.url, store: STORE, upstream: upstream.url, routes: ROUTES, orgs: ORGS };
    const gateway = await startGateway({ ...parts, deadlineMs: 500 });
    t.teardown(async () => {
      await gateway.close();
      await upstream.close();
      await ledger.close();
      await proxy.close();
      await redis.stop();
    });
    const get = (path: string, fields: readonly string[] = [], status = '200') => {
      const orders = { 'x-test-fields': JSON.stringify(fields), 'x-test-status': status };
      return ask(gateway.gateway, path, { headers: { ...as('ana'), ...orders } });
    };
    const before = await get('/fixed');
    t.match(before, { status: 200, headers: { 'quotagate-mode': undefined, ratelimit: /usage-org/ } });
    await ledger.read('acme', []);
    proxy.refuse(true);
    proxy.cutAll();
    await until('the outage is noticed', async () => (await get('/closed')).status === 503);

    const first = await get('/measured', ['x-cost', '3', 'quotagate-mode', 'mine']);
    t.match(
      first,
      { status: 200, headers: { 'quotagate-mode': 'open' } },
      'the upstream cannot set the mode header',
    );
    t.notOk('ratelimit' in first.headers, 'the response has no RateLimit figures');
    t.equal((await get('/measured')).status, 200, 'a response without a cost is charged the estimate');
    const full = await get('/measured');
    t.match(full, { status: 503, headers: { 'quotagate-error': 'store-unavailable' } }, '3 + 4 are spent');
    t.equal((await get('/fixed', [], '500')).status, 500, 'a status that does not count');
    t.equal((await get('/fixed')).status, 200, 'is not charged: 9.5 of 10 are spent');
    t.equal((await get('/fixed')).status, 503);

    const own = await ask(gateway.gateway, '/quota/me', { headers: as('ana') });
    t.match(
      own,
      { status: 503, headers: { 'quotagate-error': 'store-unavailable' } },
      'the figures are unknown',
    );

    proxy.refuse(false);
    const spent = { 'lds:o': 2, 'lds:u:ana': 2, 'usage:o': 120, 'usage:u:ana': 120 };
    const look = () => figuresOf(ledger, 'acme');
    await comesTo(
      t,
      look,
      { consumed: spent, held: {}, recorded: spent },
      '2.5 before, 3 + 4 + 2.5 meanwhile',
    );
    t.match(await get('/fixed'), { status: 200, headers: { 'quotagate-mode': undefined } });
    process.kill(redis.pid, 'SIGSTOP');
    const began = performance.now();
    t.match(await ask(gateway.gateway, '/quota/me', { headers: as('ana') }), { status: 503 });
    t.ok(performance.now() - began < 10_000, 'the request fails in time while the store is stopped');
    process.kill(redis.pid, 'SIGCONT');
  },
);
