// A hold is settled or released exactly once, at the true cost: less returns the rest, more is charged in full and reported.
import { fixed, held, onBoth, release, reserve, set, settle } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100, lds: 100 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:u:ana': 20, 'usage:g:g1': 25 },
};
const TEN = reserve('ana', held('usage', 10), { hold: 'h' });

onBoth('settled at less, the rest returns', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([TEN, settle('h', 3)]), ['admitted', 'settled']);
  for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:o']) t.equal(await testOrg.line(line), '3+0');
  t.same(await testOrg.fields('holds'), {});
});

onBoth('settled at 0, all of it returns', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, settle('h', 0)]);
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  t.same(await testOrg.texts('journal'), []);
});

onBoth(
  'settled at more, it is charged in full; within the limits that is no overshoot',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(TEN);
    t.same(await testOrg.do(settle('h', 15)), { status: 'settled', overshoot: [0], late: false });
    t.equal(await testOrg.line('usage:u:ana'), '15+0');
  },
);

onBoth('units above a hard limit are overshoot, and the next request is refused', ORG, async (t, testOrg) => {
  await testOrg.statuses([reserve('ana', fixed('usage', 8)), TEN]);
  t.same(await testOrg.do(settle('h', 18)), { status: 'settled', overshoot: [6], late: false });
  t.equal(await testOrg.line('usage:u:ana'), '26+0', 'never lost beats never over');
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['spent']);
});

onBoth('overshoot is never more than what was above the hold', ORG, async (t, testOrg) => {
  await testOrg.do(TEN);
  await testOrg.commit(set('limits', 'usage:u:ana', 1));
  t.match(await testOrg.do(settle('h', 12)), { overshoot: [2] });
});

onBoth('the reply of a call has the overshoots of all its settlements', ORG, async (t, testOrg) => {
  await testOrg.statuses([
    reserve('ana', held('usage', 5), { hold: 'h' }),
    reserve('ana', held('usage', 5), { hold: 'i' }),
  ]);
  const reply = await testOrg.apply([settle('h', 19), settle('i', 9)], { producer: 'p', seq: 1 });
  const overshoots = reply.results.flatMap((result) => ('overshoot' in result ? result.overshoot : []));
  t.ok(overshoots.every((units) => units > 0));
  t.same(
    reply.overshoots,
    overshoots.map((units) => ({ quota: 'usage', units })),
  );
  const again = await testOrg.apply([settle('h', 19), settle('i', 9)], { producer: 'p', seq: 1 });
  t.match(again, { replayed: true, overshoots: reply.overshoots });
});

onBoth('soft pools and shadow limits know no overshoot', ORG, async (t, testOrg) => {
  await testOrg.commit(
    set('org', 'plan:usage', '5:s'),
    set('limits', 'usage:u:ana', 'u;5;0;w;0;0'),
    set('limits', 'usage:g:g1', 30),
  );
  await testOrg.do(TEN);
  t.match(await testOrg.do(settle('h', 29)), { overshoot: [0] });
});

onBoth('a hold is settled once', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([TEN, settle('h', 3), settle('h', 3), release('h'), settle('never', 1)]), [
    'admitted',
    'settled',
    'unknown-hold',
    'unknown-hold',
    'unknown-hold',
  ]);
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
});

onBoth('released, everything returns, fixed costs too', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [fixed('lds', 2), held('usage', 10)], { hold: 'h' }));
  t.same(await testOrg.statuses([release('h'), release('h')]), ['released', 'unknown-hold']);
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  t.equal(await testOrg.line('lds:o'), '0+0');
  t.same(await testOrg.texts('journal'), ['1500000|ana|g1|maps|lds=2|', '1500000|ana|g1|maps|lds=-2|']);
});

onBoth('the same reservation again finds its hold and takes nothing', ORG, async (t, testOrg) => {
  t.match(await testOrg.do(TEN), { status: 'admitted', duplicate: false });
  t.match(await testOrg.do(TEN), { status: 'admitted', duplicate: true });
  t.equal(await testOrg.line('usage:u:ana'), '0+10');
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 10)), TEN]), ['admitted', 'admitted']);
});

onBoth('an unknown units entry settles at the estimate', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, settle('h', [])]);
  t.equal(await testOrg.line('usage:u:ana'), '10+0');
});

onBoth(
  'several items settle one by one, and an estimate is marked in the journal',
  ORG,
  async (t, testOrg) => {
    await testOrg.commit(set('org', 'plan:ai', '9:h'));
    await testOrg.do(reserve('ana', [held('usage', 10), fixed('lds', 1), held('ai', 5)], { hold: 'h' }));
    t.match(await testOrg.do(settle('h', [4, 1, 11], true)), { overshoot: [0, 0, 2] });
    t.equal(await testOrg.line('usage:o'), '4+0');
    t.equal(await testOrg.line('lds:o'), '1+0');
    t.equal(await testOrg.line('ai:o'), '11+0');
    t.same(await testOrg.texts('journal'), [
      '1500000|ana|g1|maps|lds=1|',
      '1500000|ana|g1|maps|usage=4,ai=11|e',
    ]);
  },
);
