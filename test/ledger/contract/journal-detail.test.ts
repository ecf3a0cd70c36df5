// A journal line names the API key, the model and what the meter read, where they are known; nothing follows it otherwise.
import { decodeJournal, encodeRefusal } from '../../../src/ledger/codec.js';
import type { ReserveOp } from '../../../src/ledger/port.js';
import { charges } from '../../../src/quota/charge.js';
import {
  ADMISSION,
  BEGIN_MS,
  fixed,
  held,
  onBoth,
  refund,
  release,
  renew,
  reserve,
  START,
  set,
  settle,
  type TestOrg,
  TTL_MS,
} from '../../support/ledgers.js';

const HASH = 'a'.repeat(64);
const ORG = { plans: { usage: 1000, ai: 100_000 }, users: { ana: 'a:g1', bob: 'a:' }, groups: ['g1'] };
const WITH_KEY = set('keys', 'k1', `${HASH}|ana|0`);

const byKey = (op: ReserveOp): ReserveOp => ({ ...op, user: '', key: `k1:${HASH}` });
const ofModel = (op: ReserveOp, model: string): ReserveOp => ({
  ...op,
  charges: charges('chat', op.charges.items, model),
});

const lines = (testOrg: TestOrg): Promise<string[]> => testOrg.texts('journal');

onBoth('the API key that identified the user stands in the line, and only then', ORG, async (t, testOrg) => {
  await testOrg.commit(WITH_KEY);
  await testOrg.call([
    byKey(reserve('', fixed('usage', 2))),
    reserve('ana', fixed('usage', 3)),
    reserve('bob', fixed('usage', 4)),
  ]);
  t.same(await lines(testOrg), [
    `${BEGIN_MS}|ana|g1|maps|usage=2||k1`,
    `${BEGIN_MS}|ana|g1|maps|usage=3|`,
    `${BEGIN_MS}|bob||maps|usage=4|`,
  ]);
  t.match(decodeJournal((await lines(testOrg)).join('\n')), [
    { key: 'k1', model: '', charges: [{ quota: 'usage', units: 2, raw: 2 }] },
    { key: '', model: '' },
    { key: '', model: '' },
  ]);
});

onBoth('a refund names the key of its admission', ORG, async (t, testOrg) => {
  await testOrg.commit(WITH_KEY);
  await testOrg.call([byKey(reserve('', fixed('usage', 2)))], ADMISSION);
  await testOrg.do({ ...refund('ana', fixed('usage', 2), { groups: 'g1' }), key: 'k1' });
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|maps|usage=-2||k1`);
});

onBoth('a settlement has the model that answered, and what the meter read', ORG, async (t, testOrg) => {
  await testOrg.commit(WITH_KEY);
  const items = [held('ai', 500), fixed('usage', 1)];
  await testOrg.do(byKey(ofModel(reserve('', items, { hold: 'h' }), 'small')));
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|chat|usage=1||k1|small`, 'the fixed cost');
  await testOrg.do({ ...settle('h', [120, 1]), model: 'large', raws: [40, undefined] });
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|chat|ai=120||k1|large|40`);
  t.match(decodeJournal((await lines(testOrg)).at(-1) ?? ''), [
    { key: 'k1', model: 'large', charges: [{ quota: 'ai', units: 120, raw: 40 }] },
  ]);
});

onBoth('tokens that cost nothing are read too', ORG, async (t, testOrg) => {
  await testOrg.do(ofModel(reserve('bob', held('ai', 500), { hold: 'h' }), 'free'));
  await testOrg.do({ ...settle('h', 0), model: 'free', raws: [70] });
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|bob||chat|ai=0|||free|70`);
});

onBoth('a hold without model or key settles as before', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('bob', held('ai', 500), { hold: 'h' }));
  await testOrg.do(settle('h', 7));
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|bob||maps|ai=7|`);
});

onBoth(
  'an expired hold has the model of its request; what comes late is the rest',
  ORG,
  async (t, testOrg) => {
    await testOrg.commit(WITH_KEY);
    await testOrg.do(byKey(ofModel(reserve('', held('ai', 500), { hold: 'h' }), 'small')));
    await testOrg.do(renew('h', 100, 0, { quotas: ['ai'] }));
    await testOrg.at(BEGIN_MS + 2 * TTL_MS);
    await testOrg.call([]);
    t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|chat|ai=100|e|k1|small`);
    await testOrg.do({ ...settle('h', 150), model: 'small', raws: [600] });
    t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|chat|ai=50||k1|small|500`);
    await testOrg.do(release('h', 'keep'));
    t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|ana|g1|chat|ai=-150||k1|small`);
  },
);

onBoth('a charge without a decision has key, model and raw amounts', ORG, async (t, testOrg) => {
  const cost = charges('chat', [fixed('ai', 30), fixed('usage', 1)], 'small');
  const about = { claims: '', at: BEGIN_MS, estimated: true, key: 'k1', raws: [10, undefined] };
  await testOrg.do({ kind: 'charge', user: 'bob', charges: cost, ...about });
  t.same(await lines(testOrg), [`${BEGIN_MS}|bob||chat|ai=30,usage=1|e|k1|small|10,`]);
});

onBoth(
  'refused requests that a gateway counted are lines, and change no counter',
  ORG,
  async (t, testOrg) => {
    const about = { at: BEGIN_MS, user: 'bob', action: 'chat', quota: 'ai', group: '', count: 3 } as const;
    const before = await testOrg.line('ai:u:bob');
    const line = encodeRefusal({ ...about, scope: 'user' });
    t.same(await testOrg.do({ kind: 'refusals', lines: line }), { status: 'noted' });
    t.equal(await testOrg.line('ai:u:bob'), before);
    t.match(decodeJournal((await lines(testOrg)).at(-1) ?? ''), [
      {
        user: 'bob',
        action: 'chat',
        charges: [{ quota: 'ai', units: 0 }],
        refused: { scope: 'user', group: '', count: 3 },
      },
    ]);
  },
);

onBoth('holds of an earlier version are read', ORG, async (t, testOrg) => {
  const expires = BEGIN_MS + TTL_MS;
  await testOrg.commit(set('holds', 'old', `o|${START.start}|${BEGIN_MS}|bob||chat|ai:e:500:0|${expires}`));
  t.match(await testOrg.do({ ...settle('old', 9), model: 'small', raws: [3] }), { status: 'settled' });
  t.equal((await lines(testOrg)).at(-1), `${BEGIN_MS}|bob||chat|ai=9|||small|3`);
});
