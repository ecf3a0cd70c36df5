// A gate, and any charge of 0 units, needs the smallest unit to remain on every hard limit, and takes nothing.
import { fixed, gate, held, onBoth, renew, reserve, settle, violatedOf } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 10, ai: '10:s', lds: 10 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:u:ana': 3, 'lds:u:ana': 'u;3;0;w;0;0' },
};

onBoth('a gate is open until the limit is exhausted, then closed', ORG, async (t, testOrg) => {
  const ops = [
    reserve('ana', fixed('usage', 2)),
    reserve('ana', gate('usage')),
    reserve('ana', fixed('usage', 1)),
    reserve('ana', gate('usage')),
  ];
  t.same(await testOrg.statuses(ops), ['admitted', 'admitted', 'admitted', 'spent']);
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
});

onBoth('a gate blocks the other charges of its route', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 3)));
  t.same(await testOrg.statuses([reserve('ana', [fixed('lds', 1), gate('usage')])]), ['spent']);
  t.same(await testOrg.statuses([reserve('ana', fixed('lds', 1))]), ['admitted'], 'lds alone is not blocked');
});

onBoth('a charge of 0 units is a gate', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 3)));
  const result = await testOrg.do(reserve('ana', fixed('usage', 0)));
  t.match(result, { status: 'refused', violated: [{ limit: 3, consumed: 3, requested: 0 }] });
});

onBoth('a gate closes while the last unit is held, and says so', ORG, async (t, testOrg) => {
  const ops = [
    reserve('ana', held('usage', 3), { hold: 'h' }),
    reserve('ana', gate('usage')),
    settle('h', 2),
  ];
  t.same(await testOrg.statuses([...ops, reserve('ana', gate('usage'))]), [
    'admitted',
    'held',
    'settled',
    'admitted',
  ]);
});

onBoth('a gate ignores soft pools and shadow limits', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [fixed('ai', 50), fixed('lds', 4)]));
  const result = await testOrg.do(reserve('ana', [gate('ai'), gate('lds')]));
  t.match(result, { status: 'admitted' });
  t.same(violatedOf(result), []);
});

onBoth('a hold of 0 units needs a remaining unit, and settles at its true cost', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 0), { hold: 'h' }));
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  await testOrg.do(settle('h', 3));
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
  t.same(await testOrg.statuses([reserve('ana', held('usage', 0), { hold: 'k' })]), ['spent']);
});

onBoth('a hold beside a gate settles by its own item', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [gate('lds'), held('usage', 3)], { hold: 'h' }));
  await testOrg.do(renew('h', 1));
  await testOrg.do(settle('h', 2));
  t.equal(await testOrg.line('usage:u:ana'), '2+0');
  t.equal(await testOrg.line('lds:u:ana'), '0+0');
});

onBoth('a hold with gates only is kept, settled and released like any other', ORG, async (t, testOrg) => {
  const ops = [
    reserve('ana', gate('usage'), { hold: 'h' }),
    renew('h', 0, 0, { quotas: [], units: [], more: [] }),
  ];
  t.same(await testOrg.statuses([...ops, settle('h', []), settle('h', [])]), [
    'admitted',
    'renewed',
    'settled',
    'unknown-hold',
  ]);
  const voided = [
    reserve('ana', gate('usage'), { hold: 'k' }),
    { kind: 'release', hold: 'k', keep: true } as const,
    reserve('ana', gate('usage'), { hold: 'k' }),
  ];
  t.same(await testOrg.statuses(voided), ['admitted', 'released', 'voided']);
});
