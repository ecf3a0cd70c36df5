// Lost data stops an org until the data is back or an operator accepts the loss. No gateway counts from 0 before that,
// and the new data gets nothing of the lost data except charges without a decision.
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { acceptLoss, createOrg, lostOrgs } from '../../src/admin/index.js';
import { seedChanges } from '../../src/admin/orgs/seed.js';
import type { Ledger, Op } from '../../src/ledger/port.js';
import { skipWithoutRedis } from '../support/redis.js';
import { QUOTAS, SEED } from '../support/seed.js';
import { refund, reserve, setUp, until } from './support.js';

const skip = { skip: skipWithoutRedis };
const OPEN = { units: { usage: 50 }, lastMs: 60_000 };

async function lose(t: Test) {
  // The same cycle before and after: what was owed to the old data would fit the new one.
  const org = seedChanges({ id: 'acme', seed: SEED, quotas: QUOTAS }, Date.now());
  const all = await setUp(t, { deadlineMs: 2_000, org });
  const redis = new Redis(all.redis.socket, { protocol: 2 });
  t.teardown(() => redis.disconnect());
  const admission = await all.batcher.decide('acme', reserve('ana'));
  const { cycle } = admission;
  const keys = await redis.keys('*');
  const copies = await Promise.all(keys.map(async (key) => ({ key, value: await redis.dumpBuffer(key) })));
  await redis.flushall();
  const restore = async (): Promise<void> => {
    await redis.flushall();
    await Promise.all(copies.map(({ key, value }) => redis.restore(key, 0, value)));
  };
  const back = (): Op => ({ ...refund('ana', admission), cycle: cycle.start }) as Op;
  return { ...all, back, cycle: cycle.start, restore, raw: redis };
}

const isRefused = { code: 'store-lost', status: 503 };

async function untilMarked(ledger: Ledger): Promise<void> {
  await until('the place is marked', async () => (await lostOrgs(ledger)).length === 1);
}

async function yearOf(ledger: Ledger): Promise<number> {
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['start'] }]);
  return Number(values[0]?.[0]);
}

async function consumedNow(ledger: Ledger, user: string): Promise<number> {
  const table = `consumed:${await yearOf(ledger)}` as const;
  const { values } = await ledger.read('acme', [{ table, fields: [`usage:u:${user}`] }]);
  return Number(values[0]?.[0] ?? 0);
}

t.test('it is an alarm once, a refusal always, and no new data anywhere', skip, async (t) => {
  const { batcher, make, direct, troubles } = await lose(t);
  for (let count = 0; count < 50; count += 1)
    await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  await t.rejects(
    batcher.decide('acme', reserve('ana'), OPEN),
    isRefused,
    'open mode is for a store without an answer',
  );
  t.same(batcher.lost, ['acme']);
  await untilMarked(direct);
  t.equal(
    await createOrg(direct, { id: 'acme', seed: SEED, quotas: QUOTAS }),
    false,
    'a gateway that starts makes nothing',
  );
  const fresh = make();
  await t.rejects(fresh.decide('acme', reserve('ana')), isRefused, 'and refuses too');
  t.same(troubles, ['store-lost', 'store-lost'], 'one by each');
  const other = await batcher.decide('other', reserve('ana')).catch((error: unknown) => error);
  t.match(other, { code: 'unknown-org' }, 'other orgs are not concerned');
});

t.test('accepted: the org starts with new data, without any of the old', skip, async (t) => {
  const { batcher, make, direct, troubles, back, cycle } = await lose(t);
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  const held = { kind: 'settle', hold: 'h', units: [5], estimated: false } as const;
  const owed = [
    batcher.enqueueSettlement('acme', back(), cycle),
    batcher.enqueueSettlement('acme', held, cycle),
  ];
  await untilMarked(direct);
  t.equal(
    await acceptLoss(direct, 'acme', { seed: SEED, quotas: QUOTAS, reason: 'Redis had no disk' }),
    'made',
  );
  await Promise.all(owed);
  await until('it goes on', () => batcher.lost.length === 0);
  t.same(await lostOrgs(direct), []);
  const { result } = await batcher.decide('acme', reserve('ana'));
  t.match(result, { status: 'admitted', bindingLimits: [{ limit: 100, remaining: 95 }] });
  t.equal(await consumedNow(direct, 'ana'), 5, 'what was owed to the lost data is not taken off the new one');
  await batcher.enqueueSettlement('acme', back(), cycle);
  t.equal(await consumedNow(direct, 'ana'), 5, 'nor what comes later');
  t.match((await make().decide('acme', reserve('ben'))).result, { status: 'admitted' });
  t.same(troubles, [
    'store-lost',
    'store-loss-accepted',
    'refund-unproven',
    'settlement-unknown-hold',
    'refund-unproven',
  ]);
  const [audit] = await direct.log('acme', 'audit', '', 10);
  t.match(JSON.parse(audit?.text ?? ''), {
    who: 'operator',
    action: 'org.accept-loss',
    reason: 'Redis had no disk',
  });
});

t.test('refunds of the new data happen', skip, async (t) => {
  const { batcher, direct } = await lose(t);
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  await acceptLoss(direct, 'acme', { seed: SEED, quotas: QUOTAS, reason: '' });
  await until('it goes on', () => batcher.lost.length === 0);
  const admission = await batcher.decide('acme', reserve('ana'));
  const { start } = admission.cycle;
  await batcher.enqueueSettlement('acme', { ...refund('ana', admission), cycle: start } as Op, start);
  t.equal(await consumedNow(direct, 'ana'), 0);
});

t.test('what was served in open mode before is charged to the new data', skip, async (t) => {
  const { batcher, link, redis: server, direct } = await setUp(t);
  const redis = new Redis(server.socket, { protocol: 2 });
  t.teardown(() => redis.disconnect());
  link.hold('toStore');
  const { chargeLater } = await batcher.decide('acme', reserve('ana'), OPEN);
  await redis.flushall();
  link.deliver('toStore');
  chargeLater?.({ units: [5], estimated: false });
  await untilMarked(direct);
  t.equal(batcher.open.undelivered, 1, 'it waits');
  await acceptLoss(direct, 'acme', { seed: SEED, quotas: QUOTAS, reason: '' });
  await until('it is charged', () => batcher.open.undelivered === 0);
  t.equal(await consumedNow(direct, 'ana'), 5);
});

t.test('found again: what was owed meanwhile is done, once', skip, async (t) => {
  const { batcher, direct, back, cycle, restore, troubles } = await lose(t);
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  const owed = batcher.enqueueSettlement('acme', back(), cycle);
  await untilMarked(direct);
  await restore();
  await owed;
  t.equal(await consumedNow(direct, 'ana'), 0);
  t.same(batcher.lost, []);
  t.equal((await batcher.decide('acme', reserve('ana'))).result.status, 'admitted');
  t.same(troubles, ['store-lost', 'store-loss-found']);
});

t.test('an org that somebody made meanwhile is not taken until the loss is accepted', skip, async (t) => {
  const { batcher, make, direct, raw } = await lose(t);
  // By a process that knew nothing, before there was anybody to object.
  for (const change of seedChanges({ id: 'acme', seed: SEED, quotas: QUOTAS }, Date.now()))
    if ('set' in change) await raw.hset(`qg:{acme}:${change.set}`, change.field, change.value);
  await raw.hset('qg:{acme}:org', 'version', 1);
  await raw.sadd('qg:orgs', 'acme');
  await make().decide('acme', reserve('ana'));
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  t.same(await lostOrgs(direct), []);
  // Longer than it takes to look at it.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  t.equal(await acceptLoss(direct, 'acme', { seed: SEED, quotas: QUOTAS, reason: '' }), 'taken');
  await until('it goes on', () => batcher.lost.length === 0);
  await batcher.decide('acme', reserve('ana'));
  t.equal(await consumedNow(direct, 'ana'), 10, 'its figures stand');
});

t.test('an org that the config does not state comes back without plans', skip, async (t) => {
  const { batcher, direct } = await lose(t);
  t.equal(
    await acceptLoss(direct, 'acme', { seed: undefined, quotas: QUOTAS, reason: '' }),
    'unknown',
    'before anybody has missed it',
  );
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
  await untilMarked(direct);
  t.equal(await acceptLoss(direct, 'acme', { seed: undefined, quotas: QUOTAS, reason: '' }), 'made-bare');
  await until('it goes on', () => batcher.lost.length === 0);
  t.match((await batcher.decide('acme', reserve('ana'))).result, { status: 'denied', reason: 'no-plan' });
  t.equal(await consumedNow(direct, 'ana'), 0);
});

t.test('invented orgs do not displace a known org from memory', skip, async (t) => {
  const org = seedChanges({ id: 'acme', seed: SEED, quotas: QUOTAS }, Date.now());
  const { redis, batcher } = await setUp(t, { deadlineMs: 2_000, org, orgsMax: 20 });
  const direct = new Redis(redis.socket, { protocol: 2 });
  t.teardown(() => direct.disconnect());
  for (let count = 0; count < 50; count += 1)
    await t.rejects(batcher.decide(`made-up-${count}`, reserve('ana')), { code: 'unknown-org' });
  await direct.flushall();
  await t.rejects(batcher.decide('acme', reserve('ana')), isRefused);
});
