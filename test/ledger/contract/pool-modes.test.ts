// User and group limits are hard; a pool is hard or soft, any limit can be in shadow, and without a plan nothing passes.
import {
  bindingLimitsOf,
  fixed,
  gate,
  held,
  onBoth,
  reserve,
  set,
  violatedOf,
} from '../../support/ledgers.js';

const SOFT = { plans: { usage: '10:s' }, users: { ana: 'a:g1' }, groups: ['g1'] };

onBoth('a soft pool admits requests above 100 %, and reports it', SOFT, async (t, testOrg) => {
  const within = await testOrg.do(reserve('ana', fixed('usage', 10)));
  t.same(violatedOf(within), []);
  const beyond = await testOrg.do(reserve('ana', fixed('usage', 5)));
  t.match(beyond, {
    status: 'admitted',
    violated: [{ scope: 'org', limit: 10, consumed: 10, requested: 5 }],
  });
  t.equal(await testOrg.line('usage:o'), '15+0');
  t.match(bindingLimitsOf(beyond), [{ quota: 'usage', limit: 0, remaining: 0 }]);
  t.equal(bindingLimitsOf(beyond)[0]?.scope, undefined, 'no hard limit to tell of');
});

onBoth('a hold past a soft pool is reported too', SOFT, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', held('usage', 11), { hold: 'h' }));
  t.match(result, { status: 'admitted', violated: [{ scope: 'org', requested: 11 }] });
});

const CAPPED = { ...SOFT, limits: { 'usage:u:ana': 12, 'usage:g:g1': 'u;5;0;w;0;0' } };

onBoth('in a soft pool the limits of users stay hard', CAPPED, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 12)), reserve('ana', fixed('usage', 1))]), [
    'admitted',
    'spent',
  ]);
});

onBoth(
  'a limit in shadow is evaluated, counted and reported, and never refuses',
  CAPPED,
  async (t, testOrg) => {
    const result = await testOrg.do(reserve('ana', fixed('usage', 6)));
    t.match(result, {
      status: 'admitted',
      violated: [{ scope: 'group', group: 'g1', limit: 5, requested: 6 }],
    });
    t.equal(await testOrg.line('usage:g:g1'), '6+0');
    t.match(
      bindingLimitsOf(result),
      [{ scope: 'user', limit: 12, remaining: 6 }],
      'a shadow is not shown as a limit',
    );
  },
);

onBoth('a refusal names only what refuses', CAPPED, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', fixed('usage', 13)));
  t.same(
    violatedOf(result).map((one) => one.scope),
    ['user'],
  );
});

onBoth('a pool in shadow never refuses', { ...SOFT, plans: { usage: '10:w' } }, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', fixed('usage', 11)));
  t.match(result, { status: 'admitted', violated: [{ scope: 'org' }] });
});

onBoth('allowance 0 and soft counts only', { ...SOFT, plans: { usage: '0:s' } }, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 4)), reserve('ana', gate('usage'))]), [
    'admitted',
    'admitted',
  ]);
  t.equal(await testOrg.line('usage:u:ana'), '4+0');
});

onBoth('allowance 0 and hard lets nothing pass', { ...SOFT, plans: { usage: 0 } }, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1)), reserve('ana', gate('usage'))]), [
    'spent',
    'spent',
  ]);
});

onBoth('without a plan for each quota a request is denied, gates too', SOFT, async (t, testOrg) => {
  const ops = [
    reserve('ana', fixed('lds', 1)),
    reserve('ana', [fixed('usage', 1), gate('lds')]),
    reserve('ana', fixed('usage', 1)),
  ];
  t.same(await testOrg.statuses(ops), ['no-plan', 'no-plan', 'admitted']);
  t.equal(await testOrg.line('usage:o'), '1+0');
  await testOrg.commit(set('org', 'plan:lds', '5:h'));
  t.same(await testOrg.statuses([reserve('ana', fixed('lds', 1))]), ['admitted']);
});
