// A group limit caps the combined consumption of its members, and consumption stays where it was charged.
import { del, fixed, held, onBoth, reserve, set, settle } from '../../support/ledgers.js';

const GROUP = {
  plans: { usage: 1000 },
  users: { ana: 'a:g1', bob: 'a:g1', cy: 'a:' },
  groups: ['g1', 'g2'],
  limits: { 'usage:g:g1': 10, 'usage:u:bob': 100 },
};

onBoth('every member is blocked when the group has reached its limit', GROUP, async (t, testOrg) => {
  const ops = [
    reserve('ana', fixed('usage', 6)),
    reserve('bob', fixed('usage', 4)),
    reserve('ana', fixed('usage', 1)),
    reserve('bob', fixed('usage', 1)),
    reserve('cy', fixed('usage', 1)),
  ];
  t.same(await testOrg.statuses(ops), ['admitted', 'admitted', 'spent', 'spent', 'admitted']);
});

onBoth('what one member holds is not there for another', GROUP, async (t, testOrg) => {
  const ops = [
    reserve('ana', held('usage', 8), { hold: 'h' }),
    reserve('bob', fixed('usage', 3)),
    settle('h', 1),
  ];
  t.same(await testOrg.statuses([...ops, reserve('bob', fixed('usage', 9))]), [
    'admitted',
    'held',
    'settled',
    'admitted',
  ]);
});

onBoth('who leaves a group leaves the consumption there', GROUP, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 8)));
  await testOrg.commit(set('members', 'ana', 'a:g2'));
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 5))]), ['admitted'], 'g1 no longer binds');
  t.equal(await testOrg.line('usage:g:g1'), '8+0');
  t.equal(await testOrg.line('usage:g:g2'), '5+0');
  t.equal(await testOrg.line('usage:u:ana'), '13+0');
  t.same(await testOrg.statuses([reserve('bob', fixed('usage', 3))]), ['spent'], 'g1 is as full as it was');
});

onBoth('a hold settles where it was admitted, also after a change of groups', GROUP, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 8), { hold: 'h' }));
  await testOrg.commit(set('members', 'ana', 'a:g2'));
  await testOrg.do(settle('h', 5));
  t.equal(await testOrg.line('usage:g:g1'), '5+0');
  t.equal(await testOrg.line('usage:g:g2'), '0+0');
});

onBoth('counted is always: a limit set later finds what was consumed', GROUP, async (t, testOrg) => {
  await testOrg.do(reserve('cy', fixed('usage', 8)));
  await testOrg.commit(set('limits', 'usage:u:cy', 10));
  t.same(await testOrg.statuses([reserve('cy', fixed('usage', 3)), reserve('cy', fixed('usage', 2))]), [
    'spent',
    'admitted',
  ]);
});

onBoth('deleting a limit and setting it again resets nothing', GROUP, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 9)));
  await testOrg.commit(del('limits', 'usage:g:g1'));
  await testOrg.commit(set('limits', 'usage:g:g1', 10));
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 2))]), ['spent']);
});

onBoth('deleting a user and making it anew resets nothing', GROUP, async (t, testOrg) => {
  await testOrg.do(reserve('bob', fixed('usage', 9)));
  await testOrg.commit(del('members', 'bob'), set('limits', 'usage:u:bob', 10));
  t.same(await testOrg.statuses([reserve('bob', fixed('usage', 2))]), ['spent']);
});
