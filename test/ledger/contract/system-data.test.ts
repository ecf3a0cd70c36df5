// A log can be read from its end, in pages. System data is stored like an org's data, but is not listed among the orgs.
import { BEGIN_MS, fieldsOf, onBoth } from '../../support/ledgers.js';

const SETUP = { plans: { usage: 100 } };

onBoth('a log is read from its end, in pages', SETUP, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  t.same(await ledger.logBack(org, 'audit', '', 10), []);
  for (let number = 1; number <= 5; number += 1) {
    // Two entries of one moment keep their order.
    if (number !== 4) await testOrg.at(BEGIN_MS + number);
    const version = await testOrg.version();
    await ledger.commit(org, { version, changes: [], audit: `entry ${number}` });
  }
  const back = async (before: string, count: number) => {
    const entries = await ledger.logBack(org, 'audit', before, count);
    return { texts: entries.map(({ text }) => text), last: entries.at(-1)?.id ?? '' };
  };
  const first = await back('', 2);
  t.same(first.texts, ['entry 5', 'entry 4']);
  const second = await back(first.last, 2);
  t.same(second.texts, ['entry 3', 'entry 2']);
  const third = await back(second.last, 2);
  t.same(third.texts, ['entry 1']);
  t.same((await back(third.last, 2)).texts, []);
  const forth = await ledger.log(org, 'audit', '', 10);
  t.same(
    (await ledger.logBack(org, 'audit', '', 10)).reverse(),
    forth,
    'the same entries under the same ids',
  );
  t.same(await ledger.logBack('nobody', 'audit', '', 10), []);
});

onBoth('a set of data whose id is no name is not among the orgs', SETUP, async (t, testOrg) => {
  const { ledger } = testOrg;
  const id = `*${testOrg.org}*`;
  const changes = [{ set: 'records', field: 'a', value: '1' }] as const;
  t.equal((await ledger.commit(id, { version: 0, changes, audit: 'made' }))?.version, 1);
  t.equal(
    await ledger.commit(id, { version: 0, changes, audit: '' }),
    undefined,
    'versions are compared as ever',
  );
  t.equal((await ledger.commit(id, { version: 1, changes: [], audit: '' }))?.version, 2);
  t.same(await fieldsOf(ledger, id, 'records'), { a: '1' });
  t.same(
    (await ledger.log(id, 'audit', '', 10)).map(({ text }) => text),
    ['made'],
  );
  const orgs = await ledger.orgs();
  t.ok(orgs.includes(testOrg.org));
  t.notOk(orgs.includes(id));
});
