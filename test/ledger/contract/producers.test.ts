// A call on a producer is repeatable: the same number again changes nothing and gets the first answer, a lower one is stale.
import { PRODUCER_KEPT_MS, PRODUCER_YOUNG_MS } from '../../../src/ledger/port.js';
import {
  ADMISSION,
  BEGIN_MS,
  fixed,
  held,
  NONE,
  onBoth,
  refund,
  reserve,
  set,
  settle,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, users: { ana: 'a:g1' }, groups: ['g1'] };
const THREE = reserve('ana', fixed('usage', 3));
const producer = (seq: number, name = 'gw-1.0') => ({ producer: name, seq });

onBoth('the same number again gets the first answer', ORG, async (t, testOrg) => {
  const ops = [THREE, reserve('ana', held('usage', 7), { hold: 'h' }), reserve('ana', fixed('usage', 1))];
  const first = await testOrg.apply(ops, producer(1));
  t.match(first, { code: 'ok', replayed: false });
  await testOrg.at(BEGIN_MS + 50_000);
  await testOrg.commit(set('org', 'plan:usage', '99:h'));
  const before = await testOrg.dump();
  const again = await testOrg.apply(ops, producer(1));
  t.same(again, { ...first, replayed: true });
  t.equal(again.now, BEGIN_MS);
  t.equal(await testOrg.dump(), before);
});

onBoth('a refusal is repeated as it was', ORG, async (t, testOrg) => {
  const ops = [reserve('ana', fixed('usage', 11)), settle('no', 1)];
  const first = await testOrg.apply(ops, producer(1));
  await testOrg.commit(set('org', 'plan:usage', '99:h'));
  t.same(await testOrg.apply(ops, producer(1)), { ...first, replayed: true });
});

onBoth('the next number runs, the one before is stale', ORG, async (t, testOrg) => {
  await testOrg.apply([THREE], producer(1));
  t.match(await testOrg.apply([THREE], producer(2)), { code: 'ok', replayed: false });
  const before = await testOrg.dump();
  t.match(await testOrg.apply([THREE], producer(1)), { code: 'stale', results: [] });
  t.equal(await testOrg.dump(), before);
  t.equal(await testOrg.line('usage:o'), '6+0');
});

onBoth(
  'a skipped number shows that the org lacks calls; producers are independent',
  ORG,
  async (t, testOrg) => {
    await testOrg.apply([THREE], producer(1));
    const before = await testOrg.dump();
    t.match(await testOrg.apply([THREE], producer(3)), {
      code: 'producer-behind',
      lastCall: 1,
      lines: 0,
      results: [],
    });
    t.equal(await testOrg.dump(), before);
    t.match(await testOrg.apply([THREE], producer(1, 'gw-1.1')), { code: 'ok', replayed: false });
    t.match(await testOrg.apply([THREE], producer(2)), { code: 'ok', replayed: false });
    t.equal(await testOrg.line('usage:o'), '9+0');
  },
);

onBoth('a producer that the org does not have begins at 1', ORG, async (t, testOrg) => {
  const before = await testOrg.dump();
  t.match(await testOrg.apply([THREE], producer(2)), { code: 'producer-lost', results: [] });
  t.equal(await testOrg.dump(), before);
  t.match(await testOrg.apply([THREE], producer(1)), { code: 'ok' });
});

onBoth('asked again with none after it ran: the answer says what to give back', ORG, async (t, testOrg) => {
  await testOrg.apply([THREE, THREE], producer(1));
  const reply = await testOrg.apply([NONE, THREE], producer(1));
  t.equal(reply.replayed, true);
  t.same(reply.results, [
    { status: 'admitted', groups: 'g1', duplicate: false, violated: [], bindingLimits: [] },
    {
      status: 'admitted',
      groups: 'g1',
      duplicate: false,
      violated: [],
      bindingLimits: [{ quota: 'usage', scope: 'org', limit: 10, remaining: 4 }],
    },
  ]);
  const back = refund('ana', fixed('usage', 3), { groups: 'g1', call: 'gw-1.0.1' });
  t.match(await testOrg.apply([back], producer(2)), { results: [{ status: 'refunded' }] });
  t.match(await testOrg.apply([back], producer(2)), { replayed: true }, 'a refund is repeatable too');
  t.equal(await testOrg.line('usage:o'), '3+0');
});

onBoth(
  'asked again with none before it ran: it does nothing when it arrives late',
  ORG,
  async (t, testOrg) => {
    const reply = await testOrg.apply([NONE, THREE], producer(1));
    t.match(reply, { replayed: false, results: [{ status: 'none' }, { status: 'admitted' }] });
    t.match(await testOrg.apply([THREE, THREE], producer(1)), {
      replayed: true,
      results: [{ status: 'none' }],
    });
    t.equal(await testOrg.line('usage:o'), '3+0');
  },
);

onBoth('an answer of another cycle leaves the number free', ORG, async (t, testOrg) => {
  await testOrg.at(2_000_000);
  t.equal((await testOrg.apply([THREE], producer(1))).code, 'cycle');
  const second = {
    cycles: [
      { start: 2_000_000, end: 3_000_000 },
      { start: 1_000_000, end: 2_000_000 },
    ],
  };
  t.match(await testOrg.apply([THREE], { ...producer(1), ...second }), { code: 'ok', replayed: false });
});

onBoth('a repeated call gets its answer before the cycle is checked', ORG, async (t, testOrg) => {
  await testOrg.apply([THREE], producer(1));
  await testOrg.at(2_000_000);
  t.match(await testOrg.apply([THREE], producer(1)), { code: 'ok', replayed: true });
});

onBoth(
  'figures near 2^53 are repeated to the unit',
  { ...ORG, plans: { usage: 8_999_999_999_999_999 } },
  async (t, testOrg) => {
    const ops = [reserve('ana', fixed('usage', 8_999_999_999_999_998))];
    const first = await testOrg.apply(ops, producer(1));
    t.match(first.results[0], { bindingLimits: [{ limit: 8_999_999_999_999_999, remaining: 1 }] });
    t.same(await testOrg.apply(ops, producer(1)), { ...first, replayed: true });
  },
);

onBoth('without a producer every call runs', ORG, async (t, testOrg) => {
  await testOrg.call([THREE]);
  await testOrg.call([THREE]);
  t.equal(await testOrg.line('usage:o'), '6+0');
});

onBoth('the first call of a producer that was forgotten does not run again', ORG, async (t, testOrg) => {
  const first = { producer: `gw@${BEGIN_MS}`, seq: 1 };
  await testOrg.apply([THREE], ADMISSION);
  const back = refund('ana', fixed('usage', 3), { groups: 'g1' });
  t.match(await testOrg.apply([back], first), { results: [{ status: 'refunded' }] });
  await testOrg.commit(set('org', 'end', 2 * PRODUCER_KEPT_MS));
  const long = { cycles: [{ start: 1_000_000, end: 2 * PRODUCER_KEPT_MS }] };
  await testOrg.at(BEGIN_MS + PRODUCER_YOUNG_MS);
  t.match(
    await testOrg.apply([NONE], { ...long, producer: `new@${BEGIN_MS}`, seq: 1 }),
    { code: 'ok' },
    'still young',
  );
  await testOrg.at(BEGIN_MS + PRODUCER_KEPT_MS + 1);
  await testOrg.call([], long);
  await testOrg.ledger.forgetProducers(testOrg.org, PRODUCER_KEPT_MS);
  await testOrg.call([reserve('ana', fixed('usage', 3))], long);
  t.match(await testOrg.apply([back], { ...long, ...first }), { code: 'producer-lost', results: [] });
  t.equal(await testOrg.line('usage:o'), '3+0', 'refunded once');
  const ahead = { ...long, producer: `gw@${BEGIN_MS + 3 * PRODUCER_KEPT_MS}`, seq: 1 };
  t.match(await testOrg.apply([NONE], ahead), { code: 'producer-lost' }, 'nor one that is not born yet');
});

onBoth('the last call that an earlier version has recorded still counts', ORG, async (t, testOrg) => {
  if (testOrg.ledger.name !== 'redis') return;
  const earlier = (field: string, record: string) =>
    testOrg.commit(set('producers' as 'holds', field, record));
  await earlier('gw-1.0', `4|${BEGIN_MS}|8|${BEGIN_MS}|${BEGIN_MS}|3\n0|g1|0|0|3|10|7`);
  const replayed = await testOrg.apply([THREE], producer(4));
  t.match(replayed, { code: 'ok', replayed: true, results: [{ status: 'admitted', groups: 'g1' }] });
  t.match(await testOrg.apply([THREE], producer(3)), { code: 'stale' });
  t.match(await testOrg.apply([THREE], producer(6)), { code: 'producer-behind', lastCall: 4 });
  t.match(await testOrg.apply([THREE], producer(5)), { code: 'ok', replayed: false });
  t.match(await testOrg.apply([THREE], producer(5)), { code: 'ok', replayed: true });
  await earlier('gw-2.0', `1|${BEGIN_MS}|`);
  await testOrg.at(BEGIN_MS + 50_000);
  await testOrg.apply([NONE]);
  t.equal(await testOrg.ledger.forgetProducers(testOrg.org, 10_000), 3);
  t.match(await testOrg.apply([THREE], producer(6)), { code: 'producer-lost' });
});
