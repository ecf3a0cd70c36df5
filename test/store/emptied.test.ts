// An emptied store never restarts at 0 while a running gateway knows its orgs.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createOrg, lostOrgs } from '../../src/admin/index.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import type { PresenceEvent } from '../../src/ledger/redis/presence.js';
import { until } from '../e2e/load.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { QUOTAS, SEED } from '../support/seed.js';

const skip = { skip: skipWithoutRedis };
const PARTS = { upstream: 'http://127.0.0.1:1', orgs: '  acme: { plans: { usage: { allowance: 1 } } }' };
/** Half of the default. */
const OBJECTION_MS = 1_500;
/** Long enough for a gateway's first presence call. */
const SEEN_MS = 700;

async function redisOf(t: Test, untouched = false) {
  const redis = await startRedis({ untouched });
  const direct = new Redis(redis.socket, { protocol: 2 });
  t.teardown(async () => {
    direct.disconnect();
    await redis.stop();
  });
  return { redis, direct };
}

async function open(t: Test, url: string) {
  const events: PresenceEvent[] = [];
  const ledger = await openRedis({
    url,
    objectionMs: OBJECTION_MS,
    onPresence: (event) => events.push(event),
  });
  t.teardown(() => ledger.close());
  return { ledger, events };
}

async function gatewayOn(t: Test, redis: string) {
  const gateway = await startGateway({ ...PARTS, redis });
  t.teardown(() => gateway.close());
  const code = async (): Promise<string> => {
    const reply = await ask(gateway.gateway, '/v3/unit', { headers: as('ana') });
    return (JSON.parse(reply.body) as { code: string }).code;
  };
  return { ...gateway, code };
}

t.test(
  'an idle gateway reports the loss: a gateway that starts later does not serve from 0',
  skip,
  async (t) => {
    const { redis, direct } = await redisOf(t);
    const idle = await gatewayOn(t, redis.url);
    t.equal(await idle.code(), 'upstream-unreachable', 'admitted');
    await delay(SEEN_MS);
    await direct.flushall();
    await delay(2_500);
    const next = await gatewayOn(t, redis.url);
    t.equal(await next.code(), 'store-lost');
    t.equal(await idle.code(), 'store-lost');
    const put = { cycle: { every: 'month', anchor: 1, timeZone: 'UTC' } };
    t.match(await admin(next.admin, 'PUT', '/orgs/acme', put), { status: 503, body: { code: 'store-lost' } });
    t.match(
      await admin(next.admin, 'PUT', '/orgs/another', put),
      { status: 201 },
      'an org that no gateway knew is created',
    );
    const metrics = await ask(idle.ops, '/metrics');
    t.match(metrics.body, /quotagate_alarms_total\{[^}]*store-emptied[^}]*\} 1\n/);
  },
);

t.test('a gateway that starts right after the store was emptied sees the loss', skip, async (t) => {
  const { redis, direct } = await redisOf(t);
  const { ledger, events } = await open(t, redis.url);
  for (let count = 0; count < 100; count += 1)
    await createOrg(ledger, { id: `org-${count}`, seed: SEED, quotas: QUOTAS });
  await delay(SEEN_MS);
  await direct.flushall();
  const { ledger: next } = await open(t, redis.url);
  t.equal(await createOrg(next, { id: 'org-0', seed: SEED, quotas: QUOTAS }), false);
  t.equal((await lostOrgs(next)).length, 100, 'every known org is marked as lost');
  t.same(events, [{ kind: 'emptied', orgs: 100 }], 'reported once');
  t.equal(
    await createOrg(next, { id: 'unknown', seed: SEED, quotas: QUOTAS }),
    true,
    'an org that no gateway knew is not lost',
  );
});

t.test(
  'a backup from before an org was created: that org is marked as lost, and no other',
  skip,
  async (t) => {
    const { redis, direct } = await redisOf(t);
    const { ledger, events } = await open(t, redis.url);
    await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS });
    await delay(SEEN_MS);
    const keys = await direct.keys('*');
    const backup = await Promise.all(keys.map(async (key) => ({ key, value: await direct.dumpBuffer(key) })));
    await createOrg(ledger, { id: 'beta', seed: SEED, quotas: QUOTAS });
    const restored = direct.multi().flushall();
    for (const { key, value } of backup) restored.restore(key, 0, value);
    await restored.exec();
    await until('beta is marked', async () => (await lostOrgs(ledger)).length > 0);
    t.same(await lostOrgs(ledger), ['beta']);
    t.same(events, [{ kind: 'emptied', orgs: 1 }]);
  },
);

t.test('an admin cannot restart a lost org at 0 by creating it again', skip, async (t) => {
  const { redis, direct } = await redisOf(t);
  const { ledger } = await open(t, redis.url);
  await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS });
  await direct.flushall();
  t.equal(await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS }), false);
  t.same(await lostOrgs(ledger), ['acme']);
});

t.test('a disconnected gateway can still object once it is connected again', skip, async (t) => {
  const { redis, direct } = await redisOf(t);
  const proxy = await FaultProxy.start(redis.socket);
  t.teardown(() => proxy.close());
  const { ledger } = await open(t, proxy.url);
  await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS });
  proxy.refuse(true);
  proxy.cutAll();
  await direct.flushall();
  const { ledger: next } = await open(t, redis.url);
  const created = createOrg(next, { id: 'acme', seed: SEED, quotas: QUOTAS });
  await delay(700);
  proxy.refuse(false);
  t.equal(await created, false);
});

t.test(
  'when all gateways were disconnected, the objection period begins with the next connection',
  skip,
  async (t) => {
    const { redis, direct } = await redisOf(t, true);
    await direct.hset('qg:store', { emptySince: Date.now() - 60_000, calledAt: Date.now() - 60_000 });
    const { ledger } = await open(t, redis.url);
    const startedAt = performance.now();
    t.equal(await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS }), true);
    t.ok(performance.now() - startedAt > OBJECTION_MS);
  },
);

t.test('orgs of a store without presence data are served at once', skip, async (t) => {
  const { redis, direct } = await redisOf(t);
  const { ledger } = await open(t, redis.url);
  await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS });
  await ledger.close();
  await direct.del('qg:store');
  const startedAt = performance.now();
  const { ledger: next, events } = await open(t, redis.url);
  t.equal(await createOrg(next, { id: 'acme', seed: SEED, quotas: QUOTAS }), false);
  t.ok(performance.now() - startedAt < 1_000);
  await until('the store has an epoch', async () => (await direct.hget('qg:store', 'epoch')) !== null);
  t.equal(await createOrg(next, { id: 'new', seed: SEED, quotas: QUOTAS }), true);
  t.same(events, []);
});
