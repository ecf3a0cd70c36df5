// An org has an epoch: a caller that names another one gets `lost`, and nothing is counted from 0.
import { fixed, onBoth, release, reserve, set, settle } from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, users: { ana: 'a:' } };
const ONE = reserve('ana', fixed('usage', 1));

onBoth('an answer names the epoch, and a call may name it', ORG, async (t, testOrg) => {
  t.match(await testOrg.apply([ONE]), { code: 'ok', epoch: 'e1' });
  t.match(await testOrg.apply([ONE], { epoch: 'e1' }), { code: 'ok' });
});

onBoth('another epoch is a loss', ORG, async (t, testOrg) => {
  const before = await testOrg.dump();
  t.match(await testOrg.apply([ONE], { epoch: 'e0', producer: 'l', seq: 1 }), { code: 'lost', results: [] });
  t.equal(await testOrg.dump(), before);
});

onBoth('an org that is not there is unknown, or lost to who knew it', ORG, async (t, testOrg) => {
  t.match(await testOrg.apply([ONE], { org: 'nobody', epoch: '' }), { code: 'no-org', now: 0, results: [] });
  t.match(await testOrg.apply([ONE], { org: 'nobody', epoch: 'e1' }), { code: 'lost', results: [] });
  t.equal((await testOrg.ledger.read('nobody', [])).version, 0);
  t.same(await testOrg.ledger.log('nobody', 'journal', '', 10), []);
  t.same(await testOrg.fields('records'), {});
});

onBoth(
  'an org that is marked as lost is lost for all callers, and is not created again',
  ORG,
  async (t, testOrg) => {
    await testOrg.ledger.commit('gone', { version: 0, changes: [set('org', 'state', 'lost')], audit: '' });
    t.match(await testOrg.apply([ONE], { org: 'gone' }), { code: 'lost', now: 0, results: [] });
    t.match(await testOrg.apply([ONE], { org: 'gone', epoch: 'e1' }), { code: 'lost' });
    t.equal((await testOrg.ledger.read('gone', [])).version, 1);
  },
);

onBoth('an archived org still takes settlements of what is in flight', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', { quota: 'usage', units: 5, kind: 'held' }, { hold: 'h' })]);
  await testOrg.call([reserve('ana', { quota: 'usage', units: 5, kind: 'held' }, { hold: 'k' })]);
  await testOrg.commit(set('org', 'state', 'archived'));
  t.same(await testOrg.statuses([settle('h', 3), release('k'), ONE]), [
    'settled',
    'released',
    'org-archived',
  ]);
  t.equal(await testOrg.line('usage:o'), '3+0');
});
