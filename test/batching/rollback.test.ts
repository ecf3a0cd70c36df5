// A fail-over that loses calls creates no budget: what the store cannot prove is not returned, is counted, and raises
// an alarm.
import { Redis } from 'ioredis';
import t from 'tap';
import type { Charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, refund, reserve, setUp } from './support.js';

const LOST = 9;

t.test('refunds of lost charges', { skip: skipWithoutRedis }, async (t) => {
  let unproven = 0;
  let lost = 0;
  const observer = {
    answered: () => undefined,
    silent: () => undefined,
    lostCalls: (count: number) => {
      lost += count;
    },
    unproven: ({ items }: Charges) => {
      unproven += items[0]?.units ?? 0;
    },
  };
  const { redis: server, batcher, direct, troubles } = await setUp(t, { deadlineMs: 2_000, observer });
  const redis = new Redis(server.socket, { protocol: 2 });
  t.teardown(() => redis.disconnect());
  const kept = await batcher.decide('acme', reserve('ana'));
  const keys = await redis.keys('*');
  const copies = await Promise.all(keys.map(async (key) => ({ key, value: await redis.dumpBuffer(key) })));
  const admissions = [];
  for (let count = 0; count < LOST; count += 1) admissions.push(await batcher.decide('acme', reserve('ana')));
  t.equal(await consumed(direct, 'ana'), 5 * (LOST + 1));
  // What a replica that was behind has, when it becomes the master.
  await redis.flushall();
  await Promise.all(copies.map(({ key, value }) => redis.restore(key, 0, value, 'REPLACE')));
  await Promise.all(
    admissions.map((one) => batcher.enqueueSettlement('acme', refund('ana', one), CYCLE.start)),
  );
  t.equal(await consumed(direct, 'ana'), 5, 'what was admitted before stands');
  t.equal(unproven, 5 * LOST);
  t.equal(lost, LOST, 'the calls that are missing are counted');
  t.same(new Set(troubles), new Set(['store-rolled-back', 'refund-unproven']));
  t.equal(troubles.filter((what) => what === 'store-rolled-back').length, 1);
  await batcher.enqueueSettlement('acme', refund('ana', kept), CYCLE.start);
  t.equal(await consumed(direct, 'ana'), 0, 'what it has is given back');
  const settle = { kind: 'settle', hold: 'lost', units: [5], estimated: false } as const;
  const { result } = await batcher.enqueueSettlement('acme', settle, CYCLE.start);
  t.equal(result.status, 'unknown-hold');
  t.equal(troubles.at(-1), 'settlement-unknown-hold', 'a settlement without its hold is reported');
});
