// A limit set, lowered, raised or deleted counts for the next request; a temporary raise ends by itself.
import {
  BEGIN_MS,
  del,
  fixed,
  held,
  onBoth,
  reserve,
  set,
  settle,
  violatedOf,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 100 }, users: { ana: 'a:g1' }, groups: ['g1'], limits: { 'usage:u:ana': 10 } };
const ONE = reserve('ana', fixed('usage', 1));

onBoth('a limit below what is consumed blocks the next request', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 8))]), ['admitted']);
  await testOrg.commit(set('limits', 'usage:u:ana', 5));
  t.match(await testOrg.do(ONE), { status: 'refused', violated: [{ limit: 5, consumed: 8 }] });
});

onBoth('raising or deleting it unblocks the next request', ORG, async (t, testOrg) => {
  await testOrg.statuses([reserve('ana', fixed('usage', 10)), ONE]);
  await testOrg.commit(set('limits', 'usage:u:ana', 11));
  t.same(await testOrg.statuses([ONE, ONE]), ['admitted', 'spent']);
  await testOrg.commit(del('limits', 'usage:u:ana'));
  t.same(await testOrg.statuses([ONE]), ['admitted']);
});

onBoth('a first limit on a group counts at once', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 4)));
  await testOrg.commit(set('limits', 'usage:g:g1', 4));
  t.match(violatedOf(await testOrg.do(ONE)), [{ scope: 'group', limit: 4, consumed: 4 }]);
});

onBoth('a plan changes at once, both ways', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 5)));
  await testOrg.commit(set('org', 'plan:usage', '5:h'));
  t.same(await testOrg.statuses([ONE]), ['spent']);
  await testOrg.commit(set('org', 'plan:usage', '5:s'));
  t.same(await testOrg.statuses([ONE]), ['admitted']);
  await testOrg.commit(set('org', 'plan:usage', '7:h'));
  t.same(await testOrg.statuses([ONE, ONE]), ['admitted', 'spent']);
  await testOrg.commit(del('org', 'plan:usage'));
  t.same(await testOrg.statuses([ONE]), ['no-plan']);
});

onBoth('into shadow and back', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 10)));
  await testOrg.commit(set('limits', 'usage:u:ana', 'u;10;0;w;0;0'));
  t.same(await testOrg.statuses([ONE]), ['admitted']);
  await testOrg.commit(set('limits', 'usage:u:ana', 'u;10;0;h;0;0'));
  t.same(await testOrg.statuses([ONE]), ['spent']);
});

onBoth('a hold remains when its limit is lowered, and the next one does not fit', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 8), { hold: 'h' }));
  await testOrg.commit(set('limits', 'usage:u:ana', 5));
  t.same(await testOrg.statuses([ONE]), ['held']);
  t.match(await testOrg.do(settle('h', 8)), { status: 'settled', overshoot: [0] });
  t.same(await testOrg.statuses([ONE]), ['spent']);
});

const RAISED = { ...ORG, limits: { 'usage:u:ana': `u;10;0;h;5;${BEGIN_MS + 1000}` } };

onBoth('a temporary raise adds its units until its time, by the store clock', RAISED, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 12))]), ['admitted']);
  await testOrg.at(BEGIN_MS + 999);
  t.same(await testOrg.statuses([ONE]), ['admitted']);
  await testOrg.at(BEGIN_MS + 1000);
  t.match(await testOrg.do(ONE), { status: 'refused', violated: [{ limit: 10, consumed: 13 }] });
});

const RAISED_SHARE = { ...ORG, limits: { 'usage:g:g1': `p;1000000;0;h;5;${BEGIN_MS + 1000}` } };

onBoth('a raise lies on top of a percent, too', RAISED_SHARE, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 15)), ONE]), ['admitted', 'spent']);
  t.match(violatedOf(await testOrg.do(ONE)), [{ limit: 15 }]);
});
