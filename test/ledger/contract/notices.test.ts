// A notice is queued once per line, threshold and cap: at the crossing, or at the first hard refusal if that comes first.
import {
  ADMISSION,
  cycleOf,
  fixed,
  held,
  onBoth,
  refund,
  reserve,
  START,
  set,
  settle,
} from '../../support/ledgers.js';

const BOOK = { plans: { usage: 1000 }, users: { ana: 'a:', bob: 'a:' }, limits: { 'usage:u:ana': 100 } };
const use = (units: number, user = 'ana') => reserve(user, fixed('usage', units));
const notice = (threshold: number, limit: number, consumed: number, rest = '1000000|1500000'): string =>
  `${threshold}|user|ana|usage|maps|ana|${limit}|${consumed}|${rest}`;

onBoth('each threshold of what is consumed is told once', BOOK, async (t, book) => {
  await book.call([use(49)]);
  t.same(await book.texts('outbox'), []);
  await book.call([use(1)]);
  await book.call([use(30)]);
  await book.call([use(9)]);
  await book.call([use(1)]);
  await book.call([use(10)]);
  await book.call([use(1), use(1)]);
  t.same(await book.texts('outbox'), [
    notice(50, 100, 50),
    notice(80, 100, 80),
    notice(90, 100, 90),
    notice(100, 100, 100),
  ]);
});

onBoth('a call that passes several tells the highest', BOOK, async (t, book) => {
  await book.call([use(45), use(45)]);
  t.same(await book.texts('outbox'), [notice(90, 100, 90)]);
});

onBoth('the first hard refusal tells what reaching the limit would have told', BOOK, async (t, book) => {
  await book.call([use(60)]);
  await book.call([use(50), use(50)]);
  await book.call([use(40), use(1)]);
  t.same(await book.texts('outbox'), [notice(50, 100, 60), notice(100, 100, 60)]);
});

onBoth('a refusal for holds in flight tells nothing', BOOK, async (t, book) => {
  await book.told([reserve('ana', held('usage', 100), { hold: 'h' }), use(1)]);
  t.same(await book.texts('outbox'), []);
  await book.do(settle('h', 100));
  t.same(await book.texts('outbox'), [notice(100, 100, 100)], 'a settlement crosses as a charge does');
});

onBoth('a raised cap arms its notices again, a refund does not', BOOK, async (t, book) => {
  await book.call([use(100)], ADMISSION);
  await book.call([refund('ana', fixed('usage', 60))]);
  await book.call([use(60)]);
  t.same(await book.texts('outbox'), [notice(100, 100, 100)]);
  await book.commit(set('limits', 'usage:u:ana', 200));
  await book.call([use(60)]);
  await book.call([use(41)]);
  t.same((await book.texts('outbox')).slice(1), [notice(80, 200, 160), notice(100, 200, 160)]);
});

onBoth('a lowered cap does not tell again what was told', BOOK, async (t, book) => {
  await book.call([use(100)]);
  await book.commit(set('limits', 'usage:u:ana', 90));
  await book.call([use(1)]);
  t.same(await book.texts('outbox'), [notice(100, 100, 100)]);
});

onBoth('a limit lowered below what is consumed is told at the refusal', BOOK, async (t, book) => {
  await book.call([use(40)]);
  await book.commit(set('limits', 'usage:u:ana', 30));
  await book.call([use(1)]);
  t.same(await book.texts('outbox'), [notice(100, 30, 40)]);
});

onBoth('a new cycle arms all of them', BOOK, async (t, book) => {
  await book.call([use(100)]);
  await book.at(2_000_000);
  await book.call([use(100)], { cycles: [cycleOf(2), START] });
  t.same(await book.texts('outbox'), [notice(100, 100, 100), notice(100, 100, 100, '2000000|2000000')]);
});

onBoth('a late settlement in a closed cycle tells nothing', BOOK, async (t, book) => {
  await book.call([reserve('ana', held('usage', 100), { hold: 'h', ttlMs: 9_000_000 })]);
  await book.at(2_000_000);
  await book.call([settle('h', 100)], { cycles: [cycleOf(2), START] });
  t.same(await book.texts('outbox'), []);
});

onBoth('groups and pools have theirs; the notice names who and what it was', BOOK, async (t, book) => {
  await book.commit(
    set('groups', 'g1', '0;{"name":"g1"}'),
    set('members', 'bob', 'a:g1'),
    set('limits', 'usage:g:g1', 'u;500;0;w;0;0'),
    set('org', 'plan:usage', '600:s'),
  );
  await book.call([use(90), use(500, 'bob')]);
  t.same(await book.texts('outbox'), [
    notice(90, 100, 90),
    '90|org||usage|maps|bob|600|590|1000000|1500000',
    '100|group|g1|usage|maps|bob|500|500|1000000|1500000',
  ]);
  await book.call([use(9, 'bob')]);
  await book.call([use(2, 'bob')]);
  t.same((await book.texts('outbox')).slice(3), ['100|org||usage|maps|bob|600|601|1000000|1500000']);
});

onBoth('a percent cap that a top-up raised is armed again', BOOK, async (t, book) => {
  await book.commit(set('limits', 'usage:u:ana', 'p;1000000;0;h;0;0'));
  await book.call([use(100)]);
  await book.commit(set('org', 'extra:usage', 1000));
  await book.call([use(100)]);
  t.same(await book.texts('outbox'), [notice(100, 100, 100), notice(100, 200, 200)]);
});

onBoth(
  'thresholds are the org own; none set, only a refusal tells',
  { ...BOOK, thresholds: '' },
  async (t, book) => {
    await book.call([use(100)]);
    t.same(await book.texts('outbox'), []);
    await book.call([use(1)]);
    t.same(await book.texts('outbox'), [notice(100, 100, 100)]);
    await book.commit(set('org', 'thresholds', '25'));
    await book.call([use(250, 'bob')]);
    t.match((await book.texts('outbox'))[1], /^25\|org/);
  },
);
