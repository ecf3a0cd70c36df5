// A book carries an epoch: who names one that the book does not have is answered `lost`, and nothing is counted from 0.
import { fixed, onBoth, release, reserve, set, settle } from '../../support/ledgers.js';

const BOOK = { plans: { usage: 10 }, users: { ana: 'a:' } };
const ONE = reserve('ana', fixed('usage', 1));

onBoth('an answer names the epoch, and a call may name it', BOOK, async (t, book) => {
  t.match(await book.apply([ONE]), { code: 'ok', epoch: 'e1' });
  t.match(await book.apply([ONE], { epoch: 'e1' }), { code: 'ok' });
});

onBoth('another epoch is a loss', BOOK, async (t, book) => {
  const before = await book.dump();
  t.match(await book.apply([ONE], { epoch: 'e0', producer: 'l', seq: 1 }), { code: 'lost', results: [] });
  t.equal(await book.dump(), before);
});

onBoth('an org that is not there is unknown, or lost to who knew it', BOOK, async (t, book) => {
  t.match(await book.apply([ONE], { org: 'nobody' }), { code: 'no-org', now: 0, results: [] });
  t.match(await book.apply([ONE], { org: 'nobody', epoch: 'e1' }), { code: 'lost', results: [] });
  t.equal((await book.ledger.read('nobody', [])).version, 0);
  t.same(await book.ledger.log('nobody', 'journal', '', 10), []);
  t.same(await book.fields('records'), {});
});

onBoth('a place that is marked lost is lost to everybody, and not made anew', BOOK, async (t, book) => {
  await book.ledger.commit('gone', { version: 0, changes: [set('org', 'state', 'lost')], audit: '' });
  t.match(await book.apply([ONE], { org: 'gone' }), { code: 'lost', now: 0, results: [] });
  t.match(await book.apply([ONE], { org: 'gone', epoch: 'e1' }), { code: 'lost' });
  t.equal((await book.ledger.read('gone', [])).version, 1);
});

onBoth('an archived org still takes settlements of what is in flight', BOOK, async (t, book) => {
  await book.call([reserve('ana', { quota: 'usage', units: 5, kind: 'held' }, { hold: 'h' })]);
  await book.call([reserve('ana', { quota: 'usage', units: 5, kind: 'held' }, { hold: 'k' })]);
  await book.commit(set('org', 'state', 'archived'));
  t.same(await book.told([settle('h', 3), release('k'), ONE]), ['settled', 'released', 'org-archived']);
  t.equal(await book.line('usage:o'), '3+0');
});
