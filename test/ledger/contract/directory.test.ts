// A commit happens in whole, with its audit entry, if the book is still at the version it was read at.
import { BEGIN_MS, del, fixed, incr, onBoth, reserve, set } from '../../support/ledgers.js';

const BOOK = { plans: { usage: 10 }, users: { ana: 'a:' } };

onBoth('changes and their audit entry are one step', BOOK, async (t, book) => {
  const changes = [set('limits', 'usage:u:ana', 5), set('records', 'x', '1'), incr('org', 'extra:usage', 7)];
  t.equal(await book.ledger.commit(book.org, { version: 1, changes, audit: '{"who":"root"}' }), 2);
  t.same(await book.fields('limits'), { 'usage:u:ana': '5' });
  t.equal(await book.orgField('extra:usage'), '7');
  t.same(await book.texts('audit'), ['{"who":"root"}']);
  t.equal(await book.version(), 2);
});

onBoth('at another version nothing happens', BOOK, async (t, book) => {
  await book.commit(set('limits', 'usage:u:ana', 5));
  const before = await book.dump();
  for (const version of [0, 1, 3]) {
    const commit = { version, changes: [del('limits', 'usage:u:ana')], audit: 'x' };
    t.equal(await book.ledger.commit(book.org, commit), undefined);
  }
  t.equal(await book.dump(), before);
});

onBoth('a registration raises the version: who read before it has to read again', BOOK, async (t, book) => {
  await book.call([reserve('zed', fixed('usage', 1))]);
  const commit = { version: 1, changes: [set('members', 'zed', 'a:')], audit: '' };
  t.equal(await book.ledger.commit(book.org, commit), undefined);
});

onBoth('a call raises it in no other case', BOOK, async (t, book) => {
  await book.call([reserve('ana', fixed('usage', 1))]);
  t.equal(await book.version(), 1);
});

onBoth('set, delete and add to fields of any table, also several times', BOOK, async (t, book) => {
  await book.commit(set('records', 'a', 'text'), incr('history:day', 'n', 5), incr('history:day', 'n', -7));
  await book.commit(del('records', 'a'), del('records', 'never'), set('records', 'b', ''));
  t.same(await book.fields('records'), { b: '' });
  t.same(await book.fields('history:day'), { n: '-2' });
});

onBoth('fields of several tables are read at one moment, absent ones as null', BOOK, async (t, book) => {
  const wants = [
    { table: 'org', fields: ['epoch', 'nothing'] },
    { table: 'limits', fields: [] },
    { table: 'members', fields: ['zed', 'ana'] },
  ] as const;
  t.same(await book.ledger.read(book.org, wants), {
    now: BEGIN_MS,
    version: 1,
    values: [['e1', null], [], [null, 'a:']],
  });
  t.same(await book.ledger.read('nobody', wants), {
    now: BEGIN_MS,
    version: 0,
    values: [[null, null], [], [null, null]],
  });
});

onBoth('20,000 fields are read at once', BOOK, async (t, book) => {
  const fields = Array.from({ length: 20_000 }, (_, index) => `f${index}`);
  await book.commit(set('records', 'f0', 'first'), set('records', 'f19999', 'last'));
  const { values } = await book.ledger.read(book.org, [{ table: 'records', fields }]);
  t.equal(values[0]?.length, 20_000);
  t.equal(values[0]?.[0], 'first');
  t.equal(values[0]?.[19_999], 'last');
});

onBoth('a scan passes every field', BOOK, async (t, book) => {
  const names = Array.from({ length: 1500 }, (_, index) => `r${index}`);
  await book.commit(...names.map((name) => set('records', name, '1')));
  const found = new Set<string>();
  let cursor = '0';
  do {
    const page = await book.ledger.scan(book.org, 'records', cursor, 100);
    for (const [field, value] of page.entries) if (value === '1') found.add(field);
    cursor = page.cursor;
  } while (cursor !== '0');
  t.equal(found.size, 1500);
  t.same(await book.ledger.scan('nobody', 'records', '0', 10), { cursor: '0', entries: [] });
});

onBoth('whole tables are forgotten, others stay', BOOK, async (t, book) => {
  await book.call([reserve('ana', fixed('usage', 1))]);
  await book.ledger.drop(book.org, ['consumed:1000000', 'held:1000000', 'history:never']);
  t.same(await book.fields('consumed:1000000'), {});
  t.same(await book.fields('members'), { ana: 'a:' });
  await book.ledger.drop(book.org, []);
  await book.ledger.drop('nobody', ['records']);
});

onBoth('all orgs are listed, and the clock is the store clock', BOOK, async (t, book) => {
  t.ok((await book.ledger.orgs()).includes(book.org));
  await book.at(1_777_777);
  t.equal(await book.ledger.clock(), 1_777_777);
  t.equal(book.ledger.ready, true);
});

onBoth('an org apart: nothing of one is seen or moved in another', BOOK, async (t, book) => {
  const other = `${book.org}-other`;
  await book.ledger.commit(other, { version: 0, changes: [set('limits', 'usage:u:ana', 1)], audit: 'a' });
  await book.call([reserve('ana', fixed('usage', 2))]);
  t.equal(await book.line('usage:o'), '2+0');
  t.same(await book.texts('audit'), []);
  const { values } = await book.ledger.read(other, [{ table: 'consumed:1000000', fields: ['usage:o'] }]);
  t.same(values, [[null]]);
});
