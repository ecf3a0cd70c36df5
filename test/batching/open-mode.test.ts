// Open mode admits no more than its limit while the store makes no decision, and charges everything afterwards, once.
import t, { type Test } from 'tap';
import type { Answer, StoreBatcher } from '../../src/ledger/batching/index.js';
import { decodeJournal } from '../../src/ledger/codec.js';
import type { Change, Ledger } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import type { FaultProxy } from '../support/fault-proxy.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, journalled, refund, reserve, setUp, until, untilSettled } from './support.js';

const skip = { skip: skipWithoutRedis };
/** Ten requests of five units. */
const OPEN = { units: { usage: 50 }, lastMs: 60_000 };

function goDown(proxy: FaultProxy): void {
  proxy.refuse(true);
  proxy.cutAll();
}

async function comeBack(proxy: FaultProxy, ledger: Ledger): Promise<void> {
  proxy.refuse(false);
  await until('it is connected again', () => ledger.ready);
}

/** Lets through as many as the bound does, and ends them at what they were reserved at. */
async function spend(t: Test, batcher: StoreBatcher, user: string, wanted: number): Promise<void> {
  for (let count = 0; count < wanted; count += 1) {
    const answer = await batcher.decide('acme', reserve(user), OPEN);
    t.match(answer.result, { status: 'admitted', groups: '', violated: [], bindingLimits: [] });
    answer.chargeLater?.({ units: [5], estimated: false });
  }
  await t.rejects(batcher.decide('acme', reserve(user), OPEN), {
    code: 'store-unavailable',
    message: /used up/,
  });
}

t.test('the bound, the bill, and a new bound when all is paid and quiet', skip, async (t) => {
  const { proxy, behind, direct, batcher, events } = await setUp(t);
  goDown(proxy);
  await t.rejects(
    batcher.decide('acme', reserve('ana')),
    { code: 'store-unavailable' },
    'closed routes are closed',
  );
  await spend(t, batcher, 'ana', 10);
  t.equal(batcher.open.outstanding.get('usage'), 50);
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 50);
  t.equal(batcher.open.outstanding.get('usage'), 0);

  goDown(proxy);
  await t.rejects(batcher.decide('acme', reserve('ana'), OPEN), /used up/, 'a store that comes and goes');
  await comeBack(proxy, behind);
  await until('it is over', async () => {
    t.equal((await batcher.decide('acme', reserve('ben'), OPEN)).chargeLater, undefined);
    return !batcher.open.active;
  });

  goDown(proxy);
  await spend(t, batcher, 'ana', 10);
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 100);
  t.same(
    events.filter(({ kind }) => kind === 'began' || kind === 'ended').map(({ kind }) => kind),
    ['began', 'ended', 'began'],
  );
  t.match(
    events.find(({ kind }) => kind === 'ended'),
    { admitted: 10, refused: 2, units: { usage: 50 } },
  );
  const charged = events.filter((event) => event.kind === 'charged');
  t.equal(
    charged.reduce((sum, { units }) => sum + units, 0),
    100,
  );
});

t.test(
  'an outage in which nothing was charged ends by the answers of closed routes, too',
  skip,
  async (t) => {
    const { proxy, behind, batcher } = await setUp(t);
    goDown(proxy);
    const answer = await batcher.decide('acme', reserve('ana'), OPEN);
    answer.chargeLater?.({ units: [0], estimated: false });
    t.ok(batcher.open.active);
    await comeBack(proxy, behind);
    await until('it is over', async () => {
      await batcher.decide('acme', reserve('ben')).catch(() => undefined);
      return !batcher.open.active;
    });
  },
);

t.test('what is under way counts in the next outage', skip, async (t) => {
  const { proxy, behind, direct, batcher } = await setUp(t);
  goDown(proxy);
  const long = await Promise.all([1, 2, 3].map(() => batcher.decide('acme', reserve('ana'), OPEN)));
  await comeBack(proxy, behind);
  await until('it is over', async () => {
    await batcher.decide('acme', reserve('ben'), OPEN);
    return !batcher.open.active;
  });
  goDown(proxy);
  await spend(t, batcher, 'ana', 7);
  for (const { chargeLater } of long) chargeLater?.({ units: [5], estimated: false });
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 50);
});

t.test('what is past a limit is charged as overshoot, and the next request is refused', skip, async (t) => {
  const { proxy, behind, direct, batcher, events } = await setUp(t);
  const limit: Change = { set: 'limits', field: 'usage:u:ana', value: '20' };
  await direct.commit('acme', {
    version: (await direct.read('acme', [])).version,
    changes: [limit],
    audit: '',
  });
  goDown(proxy);
  await spend(t, batcher, 'ana', 10);
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 50);
  const past = events.map((event) => (event.kind === 'charged' ? event.overshoot : 0));
  t.equal(
    past.reduce((sum, units) => sum + units, 0),
    30,
  );
  t.match((await batcher.decide('acme', reserve('ana'), OPEN)).result, {
    status: 'refused',
    reason: 'spent',
  });
});

t.test('its time', skip, async (t) => {
  const { proxy, batcher } = await setUp(t);
  const short = { ...OPEN, lastMs: 100 };
  goDown(proxy);
  const began = performance.now();
  t.ok((await batcher.decide('acme', reserve('ana'), short)).chargeLater);
  await until('its time is over', async () => {
    const answer = await batcher
      .decide('acme', reserve('ana', { charges: GATE }), short)
      .catch(() => undefined);
    return answer === undefined;
  });
  const lastedMs = performance.now() - began;
  t.ok(lastedMs >= 100 && lastedMs < 2_000, `closed after ${lastedMs} ms, gates too`);
});

const GATE = charges('gate', [{ quota: 'usage', units: 0, kind: 'gate' }]);
const HELD = charges('chat', [
  { quota: 'usage', units: 20, kind: 'held' },
  { quota: 'lds', units: 1, kind: 'fixed' },
]);

t.test('the bound counts what was held, then what it cost', skip, async (t) => {
  const { proxy, behind, direct, batcher } = await setUp(t);
  const open = { units: { usage: 50, lds: 10 }, lastMs: 60_000 };
  const ask = (): Promise<Answer> =>
    batcher.decide('acme', reserve('ana', { charges: HELD, hold: 'h' }), open);
  goDown(proxy);
  const [one, two] = [await ask(), await ask()];
  await t.rejects(ask(), /used up/, 'two are held');
  one.chargeLater?.({ units: [3, 1], estimated: false });
  const three = await ask();
  await t.rejects(ask(), /used up/);
  two.chargeLater?.({ units: [0, 0], estimated: false });
  three.chargeLater?.({ units: [60, 1], estimated: true });
  await t.rejects(ask(), /used up/, 'one cost more than it held');
  t.equal(batcher.open.outstanding.get('usage'), 63);
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 63);
  const lines = (await direct.log('acme', 'journal', '', 100)).flatMap(({ text }) => decodeJournal(text));
  const [known, estimated] = lines.filter(({ user }) => user === 'ana');
  t.match(known, {
    action: 'chat',
    estimated: false,
    charges: [
      { quota: 'usage', units: 3 },
      { quota: 'lds', units: 1 },
    ],
  });
  t.match(estimated, { estimated: true, charges: [{ units: 60 }, { units: 1 }] });
});

t.test('a quota that the bound does not name is closed', skip, async (t) => {
  const { proxy, batcher } = await setUp(t);
  goDown(proxy);
  const ask = batcher.decide('acme', reserve('ana', { charges: HELD }), OPEN);
  await t.rejects(ask, { code: 'store-unavailable' });
});

t.test('the account is one for all routes, each with its own bound', skip, async (t) => {
  const { proxy, batcher } = await setUp(t);
  const narrow = { units: { usage: 10 }, lastMs: 60_000 };
  goDown(proxy);
  t.ok((await batcher.decide('acme', reserve('ana'), OPEN)).chargeLater);
  t.ok((await batcher.decide('acme', reserve('ana'), narrow)).chargeLater);
  await t.rejects(batcher.decide('acme', reserve('ana'), narrow), /used up/);
  t.ok((await batcher.decide('acme', reserve('ana'), OPEN)).chargeLater);
});

t.test('an answer that comes too late is voided, and the charge is the only one', skip, async (t) => {
  const { link, direct, batcher } = await setUp(t);
  link.hold('toStore');
  const { chargeLater } = await batcher.decide('acme', reserve('ana'), OPEN);
  chargeLater?.({ units: [5], estimated: false });
  link.deliver('toStore');
  const entries = async (): Promise<number> =>
    (await direct.log('acme', 'journal', '', 100)).filter(({ text }) => text.includes('|ana|')).length;
  await until('it has run, was given back, and was charged', async () => (await entries()) >= 3);
  await untilSettled(t, batcher, direct, 'ana', 5);
});

t.test('memory is bounded by users and actions, not by requests', skip, async (t) => {
  const { proxy, behind, direct, batcher } = await setUp(t);
  const wide = { units: { usage: 1_000_000 }, lastMs: 60_000 };
  goDown(proxy);
  for (let count = 0; count < 2_000; count += 1)
    (await batcher.decide('acme', reserve(`u${count % 2}`), wide)).chargeLater?.({
      units: [5],
      estimated: false,
    });
  t.ok(batcher.open.undelivered <= 4, `${batcher.open.undelivered} accounts`);
  t.equal(batcher.backlog, 0, 'they do not count as a backlog');
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'u0', 5_000);
  t.equal(await consumed(direct, 'u1'), 5_000);
});

t.test('more users than accounts are refused, not forgotten', { ...skip, timeout: 60_000 }, async (t) => {
  const { proxy, batcher } = await setUp(t);
  const wide = { units: { usage: 1_000_000 }, lastMs: 60_000 };
  goDown(proxy);
  for (let count = 0; count < 10_000; count += 1)
    (await batcher.decide('acme', reserve(`u${count}`), wide)).chargeLater?.({
      units: [5],
      estimated: false,
    });
  await t.rejects(batcher.decide('acme', reserve('one-more'), wide), /used up/);
});

t.test('API keys are an identity while the store saw them valid of late', skip, async (t) => {
  const { proxy, behind, direct, batcher } = await setUp(t);
  const hash = 'ab'.repeat(32);
  const keys: Change[] = ['k1', 'k2'].map((id) => ({ set: 'keys', field: id, value: `${hash}|ana|0` }));
  await direct.commit('acme', { version: (await direct.read('acme', [])).version, changes: keys, audit: '' });
  const by = (key: string) => batcher.decide('acme', reserve('', { key: `${key}:${hash}` }), OPEN);
  t.match((await by('k1')).result, { status: 'admitted', user: 'ana' });
  t.match((await by('no')).result, { status: 'denied', reason: 'invalid-key' });
  goDown(proxy);
  const { result, chargeLater } = await by('k1');
  t.match(result, { status: 'admitted', user: 'ana' });
  chargeLater?.({ units: [5], estimated: false });
  await t.rejects(by('k2'), { code: 'store-unavailable' }, 'never seen');
  await t.rejects(by('no'), { code: 'store-unavailable' }, 'seen to be invalid');
  await comeBack(proxy, behind);
  await untilSettled(t, batcher, direct, 'ana', 10);

  const gone: Change = { del: 'keys', field: 'k1' };
  await direct.commit('acme', {
    version: (await direct.read('acme', [])).version,
    changes: [gone],
    audit: '',
  });
  t.match((await by('k1')).result, { status: 'denied' });
  goDown(proxy);
  await t.rejects(by('k1'), { code: 'store-unavailable' }, 'revoked, and seen to be');
});

t.test('the end waits for the bill', skip, async (t) => {
  const { proxy, direct, batcher } = await setUp(t);
  goDown(proxy);
  for (const user of ['ana', 'ben', 'eva'])
    (await batcher.decide('acme', reserve(user), OPEN)).chargeLater?.({ units: [5], estimated: false });
  const drained = batcher.drain(10_000);
  proxy.refuse(false);
  t.equal(await drained, true);
  for (const user of ['ana', 'ben', 'eva']) t.equal(await consumed(direct, user), 5);
});

t.test('what cannot be delivered in time is reported', skip, async (t) => {
  const { proxy, batcher } = await setUp(t);
  goDown(proxy);
  (await batcher.decide('acme', reserve('ana'), OPEN)).chargeLater?.({ units: [5], estimated: false });
  t.equal(await batcher.drain(50), false);
  t.equal(batcher.open.undelivered, 1);
});

t.test('an org that is not there is no debt', skip, async (t) => {
  const { proxy, behind, batcher, troubles } = await setUp(t);
  goDown(proxy);
  (await batcher.decide('nobody', reserve('ana'), OPEN)).chargeLater?.({ units: [5], estimated: false });
  await comeBack(proxy, behind);
  await until('it is settled', () => batcher.open.undelivered === 0);
  t.same(troubles, ['settlement-undeliverable']);
  t.equal(batcher.open.outstanding.get('usage'), 0);
});

t.test('earlier settlements are still delivered', skip, async (t) => {
  const { proxy, behind, direct, batcher } = await setUp(t);
  const admission = await batcher.decide('acme', reserve('ana'), OPEN);
  goDown(proxy);
  const paid = batcher.enqueueSettlement('acme', refund('ana', admission), CYCLE.start);
  (await batcher.decide('acme', reserve('ana'), OPEN)).chargeLater?.({ units: [5], estimated: false });
  await comeBack(proxy, behind);
  await paid;
  await untilSettled(t, batcher, direct, 'ana', 5);
  t.equal(await journalled(direct, 'ana'), 5);
});
