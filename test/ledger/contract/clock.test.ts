// A reading of the store's clock that cannot be moves nothing: no cycle ends, no hold expires, and time does not stop.
import { BEGIN_MS, cycleOf, fixed, held, onBoth, reserve, START, settle } from '../../support/ledgers.js';

const BOOK = { plans: { usage: 10 }, users: { ana: 'a:' } };
const ONE = reserve('ana', fixed('usage', 1));
const LATEST = BEGIN_MS + 300_000;
const BOTH = { cycles: [cycleOf(37), START] };
const JUMPED_MS = 37_500_000;

onBoth('a clock past the latest possible time changes nothing', BOOK, async (t, book) => {
  await book.call([ONE, reserve('ana', held('usage', 2), { hold: 'h' })], { latest: LATEST });
  const before = await book.dump();
  await book.at(JUMPED_MS);
  for (const over of [{}, BOTH, { producer: 'l', seq: 1 }]) {
    const reply = await book.apply([ONE], { latest: LATEST, ...over });
    t.match(reply, { code: 'clock', clock: JUMPED_MS, results: [] });
  }
  t.equal(await book.dump(), before);
  await book.at(BEGIN_MS + 5);
  const reply = await book.apply([settle('h', 1)], { latest: LATEST, producer: 'l', seq: 1 });
  t.match(reply, { code: 'ok', now: BEGIN_MS + 5, clock: BEGIN_MS + 5, expired: 0 }, 'and time goes on');
  t.equal(await book.line('usage:o'), '2+0');
});

onBoth('the latest possible time is possible, and 0 bounds nothing', BOOK, async (t, book) => {
  await book.at(LATEST);
  t.match(await book.apply([ONE], { latest: LATEST }), { code: 'ok' });
  await book.at(LATEST + 1);
  t.match(await book.apply([ONE], { latest: LATEST }), { code: 'clock' });
  t.match(await book.apply([ONE], { latest: 0 }), { code: 'ok' });
  await book.at(JUMPED_MS);
  t.match(await book.apply([ONE], { ...BOTH, latest: 0 }), { code: 'ok', cycle: { start: 37_000_000 } });
});

onBoth('an answer is repeated whatever the clock shows', BOOK, async (t, book) => {
  const first = await book.apply([ONE], { latest: LATEST, producer: 'l', seq: 1 });
  await book.at(JUMPED_MS);
  t.same(await book.apply([ONE], { latest: LATEST, producer: 'l', seq: 1 }), { ...first, replayed: true });
});

onBoth('a book that is ahead of the clock goes on, and says so', BOOK, async (t, book) => {
  await book.at(BEGIN_MS + 400_000);
  await book.call([ONE]);
  await book.at(BEGIN_MS);
  const reply = await book.apply([ONE], { latest: LATEST });
  t.match(reply, { code: 'ok', now: BEGIN_MS + 400_000, clock: BEGIN_MS });
});

onBoth('batcher are forgotten by the time of the book', BOOK, async (t, book) => {
  await book.call([ONE], { producer: 'l', seq: 1 });
  await book.at(JUMPED_MS);
  t.equal(await book.ledger.forgetProducers(book.org, 1_000), 0, 'not by a clock that nobody has accepted');
  await book.call([ONE], BOTH);
  t.equal(await book.ledger.forgetProducers(book.org, 1_000), 1);
});
