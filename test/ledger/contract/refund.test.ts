// The fixed costs of an admission that left no hold are given back in the cycle and hour of that admission.
import {
  ADMISSION,
  BEGIN_MS,
  cycleOf,
  fixed,
  held,
  onBoth,
  refund,
  reserve,
  START,
  set,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 10, lds: 10 }, users: { ana: 'a:g1' }, groups: ['g1', 'g2'] };

onBoth('a refund returns what was charged, to the groups that were charged', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [fixed('usage', 10), fixed('lds', 2)]), ADMISSION);
  await testOrg.commit(set('members', 'ana', 'a:g2'));
  await testOrg.at(BEGIN_MS + 5);
  const back = refund('ana', [fixed('usage', 10), fixed('lds', 2)], { groups: 'g1' });
  t.same(await testOrg.statuses([back]), ['refunded']);
  for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:o', 'lds:g:g1', 'lds:o'])
    t.equal(await testOrg.line(line), '0+0');
  t.equal((await testOrg.texts('journal'))[1], '1500000|ana|g1|maps|usage=-10,lds=-2|');
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 10))]), ['admitted']);
});

onBoth('the next operation of the same call can use the refunded units', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 10)), ADMISSION);
  const one = reserve('ana', fixed('usage', 1));
  t.same(await testOrg.statuses([one, refund('ana', fixed('usage', 1), { groups: 'g1' }), one, one]), [
    'spent',
    'refunded',
    'admitted',
    'spent',
  ]);
});

onBoth('gates and holds are not refunded', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [held('usage', 3), fixed('lds', 1)], { hold: 'h' }), ADMISSION);
  await testOrg.do(refund('ana', [held('usage', 3), fixed('lds', 0)], { groups: 'g1' }));
  t.equal(await testOrg.line('usage:o'), '0+3');
  t.equal(await testOrg.line('lds:o'), '1+0');
});

onBoth('in a closed cycle it moves that cycle; in one not named, nothing', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 10)), ADMISSION);
  await testOrg.at(2_000_000);
  await testOrg.call([reserve('ana', fixed('usage', 10))], { cycles: [cycleOf(2), START] });
  const back = refund('ana', fixed('usage', 4), { groups: 'g1' });
  t.same(await testOrg.statuses([back], { cycles: [cycleOf(2)] }), ['other-cycle']);
  t.same(await testOrg.statuses([back, reserve('ana', fixed('usage', 1))], { cycles: [cycleOf(2), START] }), [
    'refunded',
    'spent',
  ]);
  t.equal(await testOrg.line('usage:u:ana', START.start), '6+0');
  t.equal(await testOrg.line('usage:u:ana', 2_000_000), '10+0');
});
