// The member counts of groups are repaired: those of an org that was written before there were counts, too.
import { repairMemberCounts } from '../../src/maintenance/member-counts.js';
import { onBoth } from '../support/ledgers.js';

const ORG = {
  users: { ana: 'a:g1,g2#3', ben: 'a:g1', cyd: 'r:g1', dan: 'i:g1,gone' },
  groups: ['g1', 'g2'],
};
const FIELDS = ['members:g1#0', 'members:g2#0', 'members:g2#3'];

onBoth('counts that are missing or wrong are set, and right ones are left', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  await testOrg.commit({ set: 'records', field: 'members:g2#0', value: '7' });
  await repairMemberCounts(ledger, org);
  const counts = async () => (await ledger.read(org, [{ table: 'records', fields: FIELDS }])).values[0];
  t.same(
    await counts(),
    ['3', '0', null],
    'a removed user, another generation and an unknown group do not count',
  );
  const version = await testOrg.version();
  await repairMemberCounts(ledger, org);
  t.equal(await testOrg.version(), version, 'nothing is written where nothing differs');
});
