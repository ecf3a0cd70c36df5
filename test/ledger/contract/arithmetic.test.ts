// Figures are exact integers up to 9·10^15, and no line passes that, whatever its mode.
import { UNITS_MAX } from '../../../src/quota/charge.js';
import {
  ADMISSION,
  BEGIN_MS,
  fixed,
  held,
  incr,
  onBoth,
  refund,
  renew,
  reserve,
  set,
  settle,
} from '../../support/ledgers.js';

const BIG = { plans: { usage: UNITS_MAX }, users: { ana: 'a:', bob: 'a:' } };
const NEAR = UNITS_MAX - 3;

onBoth('near the bound every unit counts', BIG, async (t, testOrg) => {
  const ops = [NEAR, 1, 1, 1, 1].map((units) => reserve('ana', fixed('usage', units)));
  t.same(await testOrg.statuses(ops, ADMISSION), ['admitted', 'admitted', 'admitted', 'admitted', 'spent']);
  t.equal(await testOrg.line('usage:o'), `${UNITS_MAX}+0`);
  t.match(await testOrg.texts('journal'), [new RegExp(`usage=${NEAR}\\|`)]);
  await testOrg.do(refund('ana', fixed('usage', NEAR)));
  t.equal(await testOrg.line('usage:o'), '3+0');
  t.equal((await testOrg.texts('journal')).at(-1), `${BEGIN_MS}|ana||maps|usage=-${NEAR}|`);
});

onBoth('holds near it are exact too', BIG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', NEAR), { hold: 'h' }), renew('h', NEAR - 1, 2)]);
  t.equal(await testOrg.line('usage:o'), `0+${NEAR + 2}`);
  t.match(Object.values(await testOrg.fields('holds'))[0], new RegExp(`usage:e:${NEAR + 2}:${NEAR - 1}`));
  await testOrg.at(BEGIN_MS + 20_000);
  await testOrg.call([]);
  t.equal(await testOrg.line('usage:o'), `${NEAR - 1}+0`);
  await testOrg.call([settle('h', NEAR + 1)]);
  t.equal(await testOrg.line('usage:o'), `${NEAR + 1}+0`);
});

onBoth(
  'a line without a limit is bound by arithmetic',
  { ...BIG, plans: { usage: '5:s' } },
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', fixed('usage', UNITS_MAX)));
    const result = await testOrg.do(reserve('ana', fixed('usage', 1)));
    t.match(result, { status: 'refused', reason: 'spent', violated: [{ scope: 'user', limit: UNITS_MAX }] });
  },
);

onBoth('so is a soft pool', { ...BIG, plans: { usage: '5:s' } }, async (t, testOrg) => {
  t.same(
    await testOrg.statuses([reserve('ana', fixed('usage', UNITS_MAX)), reserve('bob', fixed('usage', 1))]),
    ['admitted', 'spent'],
  );
  t.equal(await testOrg.line('usage:o'), `${UNITS_MAX}+0`);
});

const SHADOW = { ...BIG, plans: { usage: '5:s' }, limits: { 'usage:u:ana': 'u;5;0;w;0;0' } };

onBoth('so is a limit in shadow', SHADOW, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', UNITS_MAX)));
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['spent']);
});

onBoth(
  'so is a pool of more than can be counted',
  { ...BIG, extra: { usage: UNITS_MAX } },
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', fixed('usage', UNITS_MAX)));
    t.match(await testOrg.do(reserve('bob', fixed('usage', 1))), {
      status: 'refused',
      violated: [{ scope: 'org', limit: UNITS_MAX }],
    });
  },
);

onBoth('and a percent of it', { ...BIG, extra: { usage: UNITS_MAX } }, async (t, testOrg) => {
  await testOrg.commit(set('limits', 'usage:u:ana', 'p;9999999;0;h;0;0'));
  const result = await testOrg.do(reserve('ana', fixed('usage', UNITS_MAX)));
  t.match(result, {
    violated: [{ scope: 'user', limit: Number((9_000_000_000_000_000n * 9_999_999n) / 10_000_000n) }],
  });
});

onBoth('top-ups add up exactly', { ...BIG, plans: { usage: 0 } }, async (t, testOrg) => {
  await testOrg.commit(set('org', 'extra:usage', 4_503_599_627_370_497));
  await testOrg.commit(incr('org', 'extra:usage', 4_000_000_000_000_001));
  await testOrg.do(reserve('ana', fixed('usage', 8_503_599_627_370_497)));
  await testOrg.at(2_000_000);
  const cycles = [
    { start: 2_000_000, end: 3_000_000 },
    { start: 1_000_000, end: 2_000_000 },
  ];
  await testOrg.call([], { cycles });
  t.equal(await testOrg.orgField('extra:usage'), '1');
  t.equal((await testOrg.fields('consumed:1000000'))['!closed:usage'], '0:8503599627370498');
});
