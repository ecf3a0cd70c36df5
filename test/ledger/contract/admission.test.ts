// A request is admitted only if the request fits every limit that applies; all lines are charged or held, or none.
import { bindingLimitsOf, fixed, held, onBoth, reserve, settle, violatedOf } from '../../support/ledgers.js';

const TEAM = {
  plans: { usage: 100, lds: 100 },
  users: { ana: 'a:g1,g2', bob: 'a:g2' },
  groups: ['g1', 'g2'],
};

onBoth('a charge lies on the user, each group and the org', TEAM, async (t, testOrg) => {
  t.match(await testOrg.do(reserve('ana', fixed('usage', 7))), { status: 'admitted', groups: 'g1,g2' });
  await testOrg.do(reserve('bob', held('usage', 5), { hold: 'h' }));
  t.equal(await testOrg.line('usage:u:ana'), '7+0');
  t.equal(await testOrg.line('usage:g:g1'), '7+0');
  t.equal(await testOrg.line('usage:g:g2'), '7+5');
  t.equal(await testOrg.line('usage:o'), '7+5');
});

const EXACT = { ...TEAM, limits: { 'usage:u:ana': 10 } };

onBoth('a limit is used to the last unit, and not one further', EXACT, async (t, testOrg) => {
  const ten = Array.from({ length: 11 }, () => reserve('ana', fixed('usage', 1)));
  t.same(await testOrg.statuses(ten), [...Array(10).fill('admitted'), 'spent']);
  t.equal(await testOrg.line('usage:u:ana'), '10+0');
});

onBoth('consumed and held count together', EXACT, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 4)));
  await testOrg.do(reserve('ana', held('usage', 4), { hold: 'h' }));
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 3))]), ['held']);
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 2))]), ['admitted']);
  t.equal(await testOrg.line('usage:u:ana'), '6+4');
});

for (const [scope, line] of [
  ['user', 'usage:u:ana'],
  ['group', 'usage:g:g1'],
  ['group', 'usage:g:g2'],
] as const)
  onBoth(
    `the limit on ${line} refuses, and nothing moves`,
    { ...TEAM, limits: { [line]: 5 } },
    async (t, testOrg) => {
      const result = await testOrg.do(reserve('ana', [fixed('lds', 1), fixed('usage', 6)]));
      const group = scope === 'group' ? line.slice(-2) : '';
      t.match(result, {
        status: 'refused',
        reason: 'spent',
        violated: [{ quota: 'usage', scope, group, limit: 5, consumed: 0, held: 0, requested: 6 }],
      });
      t.equal(await testOrg.line('lds:o'), '0+0', 'the other quota is not charged either');
      t.equal(await testOrg.line('usage:o'), '0+0');
    },
  );

onBoth(
  'the pool refuses a request within the user limit',
  { ...TEAM, limits: { 'usage:u:ana': 500 } },
  async (t, testOrg) => {
    await testOrg.do(reserve('bob', fixed('usage', 95)));
    const result = await testOrg.do(reserve('ana', fixed('usage', 6)));
    t.match(result, {
      status: 'refused',
      violated: [{ scope: 'org', limit: 100, consumed: 95, requested: 6 }],
    });
    t.equal(violatedOf(result).length, 1);
  },
);

const MANY = { ...TEAM, limits: { 'usage:u:ana': 5, 'usage:g:g1': 4, 'usage:g:g2': 100, 'lds:g:g2': 2 } };

onBoth('every exceeded limit is reported, in the order user, groups, org', MANY, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', [fixed('usage', 101), fixed('lds', 3)]));
  t.same(
    violatedOf(result).map((one) => `${one.quota} ${one.scope} ${one.group}`),
    ['usage user ', 'usage group g1', 'usage group g2', 'usage org ', 'lds group g2'],
  );
});

onBoth('the hard limit with the least remaining is reported', MANY, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', [fixed('usage', 1), fixed('lds', 1)]));
  t.same(bindingLimitsOf(result), [
    { quota: 'usage', scope: 'group', limit: 4, remaining: 3 },
    { quota: 'lds', scope: 'group', limit: 2, remaining: 1 },
  ]);
  const other = await testOrg.do(reserve('zed', fixed('usage', 1)));
  t.same(bindingLimitsOf(other), [{ quota: 'usage', scope: 'org', limit: 100, remaining: 98 }]);
});

onBoth('a costly request is refused where a cheaper one is not', EXACT, async (t, testOrg) => {
  const ops = [9, 2, 1, 1].map((units) => reserve('ana', fixed('usage', units)));
  t.same(await testOrg.statuses(ops), ['admitted', 'spent', 'admitted', 'spent']);
});

onBoth('fixed and held costs of one request are taken together', EXACT, async (t, testOrg) => {
  const both = reserve('ana', [fixed('lds', 2), held('usage', 10)], { hold: 'h' });
  t.same(await testOrg.statuses([both, reserve('ana', fixed('usage', 1))]), ['admitted', 'held']);
  t.equal(await testOrg.line('lds:u:ana'), '2+0');
  t.equal(await testOrg.line('usage:u:ana'), '0+10');
  await testOrg.do(settle('h', [2, 3]));
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
  t.equal(await testOrg.line('lds:u:ana'), '2+0', 'a fixed cost is not charged again');
});

onBoth('operations of one call are decided in their order', EXACT, async (t, testOrg) => {
  const ops = [
    reserve('ana', held('usage', 10), { hold: 'h' }),
    reserve('ana', fixed('usage', 1)),
    settle('h', 4),
    reserve('ana', fixed('usage', 6)),
  ];
  t.same(await testOrg.statuses(ops), ['admitted', 'held', 'settled', 'admitted']);
  t.equal(await testOrg.line('usage:u:ana'), '10+0');
});
