// No settlement is dropped: above its limit the backlog refuses new requests, and every settlement is delivered.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, refund, reserve, setUp, untilSettled } from './support.js';

const BACKLOG_MAX = 20;
const ANAS = 30;

t.test(
  'a full backlog refuses requests, open ones too, until it is delivered',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct, troubles } = await setUp(t, { backlogMax: BACKLOG_MAX });
    const admissions = await Promise.all(
      Array.from({ length: ANAS }, () => batcher.decide('acme', reserve('ana'))),
    );
    t.equal(await consumed(direct, 'ana'), 5 * ANAS);
    link.hold('toStore');
    const open = { units: { usage: 1_000 }, lastMs: 60_000 };
    const paid: Promise<unknown>[] = [];
    for (const [count, admission] of admissions.entries()) {
      if (count === BACKLOG_MAX) {
        await t.rejects(batcher.decide('acme', reserve('ben')), { code: 'backlog-full', status: 503 });
        await t.rejects(batcher.decide('acme', reserve('ben'), open), { code: 'backlog-full' });
      }
      // What is owed for requests that were let in before is taken beyond the bound too.
      paid.push(batcher.enqueueSettlement('acme', refund('ana', admission), CYCLE.start));
    }
    t.equal(batcher.backlog, ANAS);
    link.deliver('toStore');
    await Promise.all(paid);
    await untilSettled(t, batcher, direct, 'ana', 0);
    t.equal((await batcher.decide('acme', reserve('ben'))).result.status, 'admitted');
    t.strictSame(troubles, []);
  },
);

t.test('a store that is down for longer gets all of it, once', { skip: skipWithoutRedis }, async (t) => {
  const { proxy, batcher, direct, troubles } = await setUp(t);
  const admissions = await Promise.all(
    Array.from({ length: ANAS }, () => batcher.decide('acme', reserve('ana'))),
  );
  proxy.refuse(true);
  proxy.cutAll();
  const paid = admissions
    .slice(1)
    .map((one) => batcher.enqueueSettlement('acme', refund('ana', one), CYCLE.start));
  await new Promise((resolve) => setTimeout(resolve, 700));
  t.equal(batcher.backlog, ANAS - 1);
  await t.rejects(batcher.decide('acme', reserve('ben')), { code: 'store-unavailable' });
  proxy.refuse(false);
  await Promise.all(paid);
  await untilSettled(t, batcher, direct, 'ana', 5);
  t.strictSame(troubles, []);
});

t.test('renewals are no backlog, however many are due at once', { skip: skipWithoutRedis }, async (t) => {
  const { link, batcher } = await setUp(t, { backlogMax: BACKLOG_MAX });
  await batcher.decide('acme', reserve('ana'));
  link.hold('toStore');
  const renewals = Array.from({ length: 2 * BACKLOG_MAX }, (_, index) => {
    const part = { quotas: ['usage'], units: [0], more: [0] };
    return batcher.enqueueSettlement(
      'acme',
      { kind: 'renew', hold: `h${index}`, ttlMs: 1_000, ...part },
      CYCLE.start,
    );
  });
  t.equal(batcher.backlog, 0);
  const decision = batcher.decide('acme', reserve('ben'));
  link.deliver('toStore');
  t.equal((await decision).result.status, 'admitted');
  await Promise.all(renewals);
});
