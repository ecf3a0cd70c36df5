// A commit happens in whole, with its audit entry, if the org is still at the version it was read at.
import { BEGIN_MS, del, fixed, incr, onBoth, reserve, set } from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, users: { ana: 'a:' } };

onBoth('changes and their audit entry are one step', ORG, async (t, testOrg) => {
  const changes = [set('limits', 'usage:u:ana', 5), set('records', 'x', '1'), incr('org', 'extra:usage', 7)];
  const after = await testOrg.ledger.commit(testOrg.org, { version: 1, changes, audit: '{"who":"root"}' });
  t.equal(after?.version, 2);
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '5' });
  t.equal(await testOrg.orgField('extra:usage'), '7');
  t.same(await testOrg.texts('audit'), ['{"who":"root"}']);
  t.equal(await testOrg.version(), 2);
});

onBoth('a commit reads fields in the same step, after its changes', ORG, async (t, testOrg) => {
  const changes = [set('limits', 'usage:u:ana', 5), incr('org', 'extra:usage', 7), del('members', 'ana')];
  const wants = [
    { table: 'org', fields: ['extra:usage', 'version'] },
    { table: 'consumed:1000000', fields: ['usage:o'] },
    { table: 'limits', fields: ['usage:u:ana', 'usage:u:zed'] },
    { table: 'members', fields: ['ana'] },
  ] as const;
  t.same(await testOrg.ledger.commit(testOrg.org, { version: 1, changes, audit: '', wants }), {
    now: BEGIN_MS,
    version: 2,
    values: [['7', '2'], [null], ['5', null], [null]],
  });
  t.equal(await testOrg.ledger.commit(testOrg.org, { version: 1, changes, audit: '', wants }), undefined);
});

onBoth('at another version nothing happens', ORG, async (t, testOrg) => {
  await testOrg.commit(set('limits', 'usage:u:ana', 5));
  const before = await testOrg.dump();
  for (const version of [0, 1, 3]) {
    const commit = { version, changes: [del('limits', 'usage:u:ana')], audit: 'x' };
    t.equal(await testOrg.ledger.commit(testOrg.org, commit), undefined);
  }
  t.equal(await testOrg.dump(), before);
});

onBoth(
  'a call does not raise the version: a commit expects the fields that it changes',
  ORG,
  async (t, testOrg) => {
    await testOrg.call([reserve('ana', fixed('usage', 1)), reserve('zed', fixed('usage', 1))]);
    t.equal(await testOrg.version(), 1);
    const change = { ...set('members', 'zed', 'a:'), was: null };
    t.equal(
      await testOrg.ledger.commit(testOrg.org, { version: 1, changes: [change], audit: '' }),
      undefined,
    );
    t.equal((await testOrg.ledger.commit(testOrg.org, { version: 1, changes: [], audit: '' }))?.version, 2);
  },
);

onBoth('set, delete and add to fields of any table, also several times', ORG, async (t, testOrg) => {
  await testOrg.commit(set('records', 'a', 'text'), incr('cycles', 'n', 5), incr('cycles', 'n', -7));
  await testOrg.commit(del('records', 'a'), del('records', 'never'), set('records', 'b', ''));
  t.same(await testOrg.fields('records'), { b: '' });
  t.same(await testOrg.fields('cycles'), { n: '-2' });
});

onBoth('fields of several tables are read at one moment, absent ones as null', ORG, async (t, testOrg) => {
  const wants = [
    { table: 'org', fields: ['epoch', 'nothing'] },
    { table: 'limits', fields: [] },
    { table: 'members', fields: ['zed', 'ana'] },
  ] as const;
  t.same(await testOrg.ledger.read(testOrg.org, wants), {
    now: BEGIN_MS,
    version: 1,
    values: [['e1', null], [], [null, 'a:']],
  });
  t.same(await testOrg.ledger.read('nobody', wants), {
    now: BEGIN_MS,
    version: 0,
    values: [[null, null], [], [null, null]],
  });
});

onBoth('20,000 fields are read at once', ORG, async (t, testOrg) => {
  const fields = Array.from({ length: 20_000 }, (_, index) => `f${index}`);
  await testOrg.commit(set('records', 'f0', 'first'), set('records', 'f19999', 'last'));
  const { values } = await testOrg.ledger.read(testOrg.org, [{ table: 'records', fields }]);
  t.equal(values[0]?.length, 20_000);
  t.equal(values[0]?.[0], 'first');
  t.equal(values[0]?.[19_999], 'last');
});

onBoth('a scan passes every field', ORG, async (t, testOrg) => {
  const names = Array.from({ length: 1500 }, (_, index) => `r${index}`);
  await testOrg.commit(...names.map((name) => set('records', name, '1')));
  const found = new Set<string>();
  let cursor = '0';
  do {
    const page = await testOrg.ledger.scan(testOrg.org, 'records', cursor, 100);
    for (const [field, value] of page.entries) if (value === '1') found.add(field);
    cursor = page.cursor;
  } while (cursor !== '0');
  t.equal(found.size, 1500);
  t.same(await testOrg.ledger.scan('nobody', 'records', '0', 10), { cursor: '0', entries: [] });
});

onBoth('whole tables are forgotten, others stay', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', fixed('usage', 1))]);
  await testOrg.ledger.drop(testOrg.org, ['consumed:1000000', 'held:1000000', 'history:never']);
  t.same(await testOrg.fields('consumed:1000000'), {});
  t.same(await testOrg.fields('members'), { ana: 'a:' });
  await testOrg.ledger.drop(testOrg.org, []);
  await testOrg.ledger.drop('nobody', ['records']);
});

onBoth('all orgs are listed, and the clock is the store clock', ORG, async (t, testOrg) => {
  t.ok((await testOrg.ledger.orgs()).includes(testOrg.org));
  await testOrg.at(1_777_777);
  t.equal(await testOrg.ledger.clock(), 1_777_777);
  t.equal(testOrg.ledger.ready, true);
});

onBoth('an org apart: nothing of one is seen or moved in another', ORG, async (t, testOrg) => {
  const other = `${testOrg.org}-other`;
  await testOrg.ledger.commit(other, { version: 0, changes: [set('limits', 'usage:u:ana', 1)], audit: 'a' });
  await testOrg.call([reserve('ana', fixed('usage', 2))]);
  t.equal(await testOrg.line('usage:o'), '2+0');
  t.same(await testOrg.texts('audit'), []);
  const { values } = await testOrg.ledger.read(other, [{ table: 'consumed:1000000', fields: ['usage:o'] }]);
  t.same(values, [[null]]);
});
