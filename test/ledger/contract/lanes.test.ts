// A call on a producer is repeatable: the same number again changes nothing and gets the first answer, a lower one is stale.
import { LANE_KEPT_MS, LANE_YOUNG_MS } from '../../../src/ledger/port.js';
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

const BOOK = { plans: { usage: 10 }, users: { ana: 'a:g1' }, groups: ['g1'] };
const THREE = reserve('ana', fixed('usage', 3));
const producer = (seq: number, name = 'gw-1.0') => ({ producer: name, seq });

onBoth('the same number again gets the first answer', BOOK, async (t, book) => {
  const ops = [THREE, reserve('ana', held('usage', 7), { hold: 'h' }), reserve('ana', fixed('usage', 1))];
  const first = await book.apply(ops, producer(1));
  t.match(first, { code: 'ok', replayed: false });
  await book.at(BEGIN_MS + 50_000);
  await book.commit(set('org', 'plan:usage', '99:h'));
  const before = await book.dump();
  const again = await book.apply(ops, producer(1));
  t.same(again, { ...first, replayed: true });
  t.equal(again.now, BEGIN_MS);
  t.equal(await book.dump(), before);
});

onBoth('a refusal is repeated as it was', BOOK, async (t, book) => {
  const ops = [reserve('ana', fixed('usage', 11)), settle('no', 1)];
  const first = await book.apply(ops, producer(1));
  await book.commit(set('org', 'plan:usage', '99:h'));
  t.same(await book.apply(ops, producer(1)), { ...first, replayed: true });
});

onBoth('the next number runs, the one before is stale', BOOK, async (t, book) => {
  await book.apply([THREE], producer(1));
  t.match(await book.apply([THREE], producer(2)), { code: 'ok', replayed: false });
  const before = await book.dump();
  t.match(await book.apply([THREE], producer(1)), { code: 'stale', results: [] });
  t.equal(await book.dump(), before);
  t.equal(await book.line('usage:o'), '6+0');
});

onBoth('a number too many shows that the book lacks calls, batcher are apart', BOOK, async (t, book) => {
  await book.apply([THREE], producer(1));
  const before = await book.dump();
  t.match(await book.apply([THREE], producer(3)), { code: 'producer-behind', results: [] });
  t.equal(await book.dump(), before);
  t.match(await book.apply([THREE], producer(1, 'gw-1.1')), { code: 'ok', replayed: false });
  t.match(await book.apply([THREE], producer(2)), { code: 'ok', replayed: false });
  t.equal(await book.line('usage:o'), '9+0');
});

onBoth('a producer that the book does not have begins at 1', BOOK, async (t, book) => {
  const before = await book.dump();
  t.match(await book.apply([THREE], producer(2)), { code: 'producer-lost', results: [] });
  t.equal(await book.dump(), before);
  t.match(await book.apply([THREE], producer(1)), { code: 'ok' });
});

onBoth('asked again with none after it ran: the answer says what to give back', BOOK, async (t, book) => {
  await book.apply([THREE, THREE], producer(1));
  const reply = await book.apply([NONE, THREE], producer(1));
  t.equal(reply.replayed, true);
  t.same(reply.results, [
    { status: 'admitted', groups: 'g1', again: false, violated: [], bindingLimits: [] },
    {
      status: 'admitted',
      groups: 'g1',
      again: false,
      violated: [],
      bindingLimits: [{ quota: 'usage', scope: 'org', limit: 10, remaining: 4 }],
    },
  ]);
  const back = refund('ana', fixed('usage', 3), { groups: 'g1', call: 'gw-1.0.1' });
  t.match(await book.apply([back], producer(2)), { results: [{ status: 'refunded' }] });
  t.match(await book.apply([back], producer(2)), { replayed: true }, 'a refund is repeatable too');
  t.equal(await book.line('usage:o'), '3+0');
});

onBoth('asked again with none before it ran: it does nothing when it arrives late', BOOK, async (t, book) => {
  const reply = await book.apply([NONE, THREE], producer(1));
  t.match(reply, { replayed: false, results: [{ status: 'none' }, { status: 'admitted' }] });
  t.match(await book.apply([THREE, THREE], producer(1)), { replayed: true, results: [{ status: 'none' }] });
  t.equal(await book.line('usage:o'), '3+0');
});

onBoth('an answer of another cycle leaves the number free', BOOK, async (t, book) => {
  await book.at(2_000_000);
  t.equal((await book.apply([THREE], producer(1))).code, 'cycle');
  const second = {
    cycles: [
      { start: 2_000_000, end: 3_000_000 },
      { start: 1_000_000, end: 2_000_000 },
    ],
  };
  t.match(await book.apply([THREE], { ...producer(1), ...second }), { code: 'ok', replayed: false });
});

onBoth('an answer is found before the cycle is judged', BOOK, async (t, book) => {
  await book.apply([THREE], producer(1));
  await book.at(2_000_000);
  t.match(await book.apply([THREE], producer(1)), { code: 'ok', replayed: true });
});

onBoth(
  'figures near 2^53 are repeated to the unit',
  { ...BOOK, plans: { usage: 8_999_999_999_999_999 } },
  async (t, book) => {
    const ops = [reserve('ana', fixed('usage', 8_999_999_999_999_998))];
    const first = await book.apply(ops, producer(1));
    t.match(first.results[0], { bindingLimits: [{ limit: 8_999_999_999_999_999, remaining: 1 }] });
    t.same(await book.apply(ops, producer(1)), { ...first, replayed: true });
  },
);

onBoth('without a producer every call runs', BOOK, async (t, book) => {
  await book.call([THREE]);
  await book.call([THREE]);
  t.equal(await book.line('usage:o'), '6+0');
});

onBoth('the first call of a producer that was forgotten does not run again', BOOK, async (t, book) => {
  const first = { producer: `gw@${BEGIN_MS}`, seq: 1 };
  await book.apply([THREE], ADMISSION);
  const back = refund('ana', fixed('usage', 3), { groups: 'g1' });
  t.match(await book.apply([back], first), { results: [{ status: 'refunded' }] });
  await book.commit(set('org', 'end', 2 * LANE_KEPT_MS));
  const long = { cycles: [{ start: 1_000_000, end: 2 * LANE_KEPT_MS }] };
  await book.at(BEGIN_MS + LANE_YOUNG_MS);
  t.match(
    await book.apply([NONE], { ...long, producer: `new@${BEGIN_MS}`, seq: 1 }),
    { code: 'ok' },
    'still young',
  );
  await book.at(BEGIN_MS + LANE_KEPT_MS + 1);
  await book.call([], long);
  await book.ledger.forgetProducers(book.org, LANE_KEPT_MS);
  await book.call([reserve('ana', fixed('usage', 3))], long);
  t.match(await book.apply([back], { ...long, ...first }), { code: 'producer-lost', results: [] });
  t.equal(await book.line('usage:o'), '3+0', 'refunded once');
  const ahead = { ...long, producer: `gw@${BEGIN_MS + 3 * LANE_KEPT_MS}`, seq: 1 };
  t.match(await book.apply([NONE], ahead), { code: 'producer-lost' }, 'nor one that is not born yet');
});
