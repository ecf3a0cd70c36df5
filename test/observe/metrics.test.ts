// What is decided, called, forwarded and refused is counted once, and no label names a user, a group or an org.
import t from 'tap';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';
import { comesToBe, metricsOf } from './support.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 1000 }, lds: { allowance: 100 } }
    groups: { crowd: {} }
    users: { ana-marker: { groups: [crowd] }, shady: {}, gone: {} }
    limits:
      - { user: ana-marker, quota: usage, units: 2 }
      - { group: crowd, quota: lds, units: 3 }
      - { user: shady, quota: usage, units: 0.5, shadow: true }
  globex: { plans: { usage: { allowance: 1, mode: soft } } }
`;

const ROUTES = `
  - { match: 'GET /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /rows', action: rows, upstream: up, charges: [{ quota: lds, units: { jsonLength: /rows } }] }
  - match: GET /measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 1 }]
  - { match: 'GET /free', identity: none, upstream: up }
  - { match: 'GET /dead', identity: none, upstream: dead }
`;

for (const store of ['embedded', 'redis'] as const) {
  t.test(store, { skip: store === 'redis' && skipWithoutRedis }, async (t) => {
    const redis = store === 'redis' ? await startRedis() : undefined;
    const upstream = await TestUpstream.start();
    const parts = { upstream: upstream.url, orgs: ORGS, routes: ROUTES, redis: redis?.url };
    const gateway = await startGateway({ ...parts, upstreams: { dead: { url: 'http://127.0.0.1:1' } } });
    t.teardown(async () => {
      await gateway.close();
      await upstream.close();
      await redis?.stop();
    });
    const get = async (path: string, user: string, more: Record<string, string> = {}, org = 'acme') =>
      (await ask(gateway.gateway, path, { headers: { ...as(user, org), ...more } })).status;
    const post = async (rows: number) => {
      const body = JSON.stringify({ rows: Array(rows).fill(0) });
      return (await ask(gateway.gateway, '/rows', { method: 'POST', headers: as('ana-marker'), body }))
        .status;
    };

    t.equal(await get('/unit', 'ana-marker'), 200);
    t.equal(await get('/unit', 'ana-marker'), 200);
    t.equal(await get('/unit', 'ana-marker'), 429, 'the user’s limit is spent');
    t.equal(await post(4), 429, 'the group’s limit has too little');
    t.equal(await get('/unit', 'shady'), 200, 'past a limit in shadow');
    t.equal(await get('/unit', 'kim', {}, 'globex'), 200);
    t.equal(await get('/unit', 'kim', {}, 'globex'), 200, 'past a soft pool');
    t.equal(
      (await admin(gateway.admin, 'PATCH', '/orgs/acme/users/gone', { status: 'inactive' })).status,
      200,
    );
    t.equal(await get('/unit', 'gone'), 403);
    t.equal(await get('/unit', 'ana', {}, 'nobody'), 403);
    t.equal(await get('/measured', 'eva', { 'x-test-fields': '["x-cost","1.5"]' }), 200);
    t.equal(
      await get('/measured', 'eva', { 'x-test-fields': '["x-cost","999"]' }),
      200,
      'it ends past the pool',
    );
    t.equal((await ask(gateway.gateway, '/free', { headers: { 'x-test-status': '404' } })).status, 404);
    t.equal((await ask(gateway.gateway, '/dead')).status, 502);
    t.equal((await ask(gateway.gateway, '/elsewhere')).status, 404);

    const decided = (outcome: string, quota = 'usage', scope = 'none') =>
      `quotagate_decisions_total{quota="${quota}",scope="${scope}",outcome="${outcome}"}`;
    const ended = (outcome: string, name = 'up') =>
      `quotagate_upstream_outcomes_total{upstream="${name}",outcome="${outcome}"}`;
    await comesToBe(t, gateway.ops, {
      'quotagate_overshoot_units_total{quota="usage"}': 3.5,
      quotagate_holds_open: 0,
      quotagate_settlements_backlog: 0,
      quotagate_requests_in_flight: 0,
      quotagate_lanes_in_flight: 0,
      quotagate_lanes_in_doubt: 0,
    });
    const { values, text } = await metricsOf(gateway.ops);
    const expected = {
      [decided('admitted')]: 7,
      [decided('spent', 'usage', 'user')]: 1,
      [decided('spent', 'lds', 'group')]: 1,
      [decided('shadow', 'usage', 'user')]: 1,
      [decided('shadow', 'usage', 'org')]: 1,
      [decided('inactive-user')]: 1,
      [decided('unknown-org')]: 1,
      quotagate_decision_seconds_count: 11,
      [ended('2xx')]: 7,
      [ended('4xx')]: 1,
      [ended('not-sent', 'dead')]: 1,
      'quotagate_upstream_seconds_count{upstream="up"}': 8,
      'quotagate_refusals_total{code="quota-exceeded"}': 2,
      'quotagate_refusals_total{code="route-unknown"}': 1,
      'quotagate_refusals_total{code="upstream-unreachable"}': 1,
      quotagate_store_up: 1,
      quotagate_ready: 1,
      quotagate_open_mode: 0,
      quotagate_store_calls_unanswered_total: 0,
    };
    for (const [name, value] of Object.entries(expected)) t.equal(values.get(name), value, name);
    t.equal(
      values.get('quotagate_store_call_operations_sum'),
      12,
      'ten decisions on an org, two settlements',
    );
    t.equal(
      values.get('quotagate_store_call_operations_count'),
      values.get('quotagate_store_call_lines_count'),
    );
    t.ok(values.has('nodejs_eventloop_lag_p99_seconds'));
    t.match(text, /^quotagate_build_info\{version="\d+\.\d+\.\d+",node="\d/m);
    t.notMatch(text, /acme|globex|ana-marker|crowd|shady/, 'nobody is named');
  });
}

t.test('a store that is down shows, and what it leaves open', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const parts = { upstream: upstream.url, orgs: ORGS, routes: ROUTES, deadlineMs: 50, redis: redis.url };
  const gateway = await startGateway({ ...parts, upstreams: { dead: { url: 'http://127.0.0.1:1' } } });
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]));
  t.equal((await ask(gateway.gateway, '/unit', { headers: as('ana') })).status, 200);
  process.kill(redis.pid, 'SIGSTOP');
  const headers = as('ana');
  t.equal((await ask(gateway.gateway, '/unit', { headers })).status, 503);
  const { values } = await metricsOf(gateway.ops);
  t.equal(values.get('quotagate_decisions_total{quota="usage",scope="none",outcome="unavailable"}'), 1);
  t.equal(values.get('quotagate_refusals_total{code="store-unavailable"}'), 1);
  t.equal(values.get('quotagate_lanes_in_flight'), 1, 'its call has no answer');
  process.kill(redis.pid, 'SIGCONT');
  await comesToBe(t, gateway.ops, { quotagate_lanes_in_flight: 0, quotagate_settlements_backlog: 0 });
  await redis.stop();
  await comesToBe(t, gateway.ops, { quotagate_store_up: 0 });
  t.equal((await ask(gateway.ops, '/readyz')).status, 200, 'readiness does not follow the store');
  t.equal((await ask(gateway.ops, '/healthz')).status, 200);
});
