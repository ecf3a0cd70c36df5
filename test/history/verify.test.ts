// Verification finds a counter that differs from journal and history, and nothing else.
import t from 'tap';
import { verifyOrg } from '../../src/history/verify.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { onBothMaintained } from '../maintenance/support.js';
import { fixed, reserve, START, set } from '../support/ledgers.js';

const ORG = { plans: { usage: 1_000 }, users: { ana: 'a:g1', bob: 'a:' }, groups: ['g1'] };

onBothMaintained('counters are compared with journal and history', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await org.commit(set('org', 'rule', '{"every":"hour","anchor":0,"timeZone":"UTC"}'));
  await org.call([reserve('ana', fixed('usage', 5)), reserve('bob', fixed('usage', 2))]);
  await foldJournal(org.ledger, 'acme');
  await org.call([reserve('ana', fixed('usage', 1))]);
  t.same(await verifyOrg(org.ledger, 'acme'), { org: 'acme', lines: 4, differences: [] });
  await org.commit(set(`consumed:${START.start}`, 'usage:u:bob', 3));
  t.same((await verifyOrg(org.ledger, 'acme')).differences, [
    { line: 'usage:u:bob', consumed: 3, recorded: 2 },
  ]);
});
