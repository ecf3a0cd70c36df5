// A plan that is set for the next cycle begins with it, and not before.
import { cycleOf, fixed, held, onBoth, reserve, START, set, settle } from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, extra: { usage: 4 }, users: { ana: 'a:' } };
const SECOND = { cycles: [cycleOf(2), START] };
const ALL = reserve('ana', fixed('usage', 12));

onBoth('it counts from the boundary on', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'next:usage', '3:s'), set('org', 'next:lds', '5:h'));
  t.same(await testOrg.statuses([ALL, reserve('ana', fixed('lds', 1))]), ['admitted', 'no-plan']);
  await testOrg.at(START.end);
  await testOrg.apply([], SECOND);
  t.equal(await testOrg.orgField('plan:usage'), '3:s');
  t.equal(await testOrg.orgField('plan:lds'), '5:h');
  t.equal(await testOrg.orgField('next:usage'), null);
  t.equal(await testOrg.orgField('next:lds'), null);
  t.same(
    await testOrg.statuses([ALL, reserve('ana', fixed('lds', 6))], SECOND),
    ['admitted', 'spent'],
    'soft',
  );
});

onBoth('the closed cycle is closed by the plan that it had', ORG, async (t, testOrg) => {
  await testOrg.do(ALL);
  await testOrg.commit(set('org', 'next:usage', '1:h'));
  await testOrg.at(START.end);
  t.same(
    await testOrg.statuses([reserve('ana', fixed('usage', 3)), reserve('ana', fixed('usage', 1))], SECOND),
    ['admitted', 'spent'],
  );
  t.equal(await testOrg.orgField('extra:usage'), '2', '12 of 10 used 2 of the extra');
  t.equal((await testOrg.fields(`consumed:${START.start}`))['!closed:usage'], '10:4');
});

onBoth('a hold of the closed cycle settles by the plan of its cycle', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 12), { hold: 'h' }));
  await testOrg.commit(set('org', 'next:usage', '1:h'));
  await testOrg.at(START.end);
  t.match(await testOrg.do(settle('h', 12), SECOND), { status: 'settled', overshoot: [0] });
  t.equal(await testOrg.orgField('extra:usage'), '2');
});
