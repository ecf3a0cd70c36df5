// A notice is queued once per line, threshold and cap: at the crossing, or at the first hard refusal if that comes first.
import {
  ADMISSION,
  BEGIN_MS,
  cycleOf,
  fixed,
  held,
  onBoth,
  refund,
  renew,
  reserve,
  START,
  set,
  settle,
  TTL_MS,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 1000 }, users: { ana: 'a:', bob: 'a:' }, limits: { 'usage:u:ana': 100 } };
const use = (units: number, user = 'ana') => reserve(user, fixed('usage', units));
const notice = (threshold: number, limit: number, consumed: number, rest = '1000000|1500000'): string =>
  `${threshold}|user|ana|usage|maps|ana|${limit}|${consumed}|${rest}`;
/** All thresholds at once. */
const all = (limit: number, consumed: number, rest?: string): string[] =>
  [50, 80, 90, 100].map((threshold) => notice(threshold, limit, consumed, rest));
const refused = (limit: number, consumed: number, requested: number): string =>
  `refused|user|ana|usage|maps|ana|${limit}|${consumed}|1000000|1500000|${requested}`;

onBoth('each crossed threshold of consumption is reported once', ORG, async (t, testOrg) => {
  await testOrg.call([use(49)]);
  t.same(await testOrg.texts('outbox'), []);
  await testOrg.call([use(1)]);
  await testOrg.call([use(30)]);
  await testOrg.call([use(9)]);
  await testOrg.call([use(1)]);
  await testOrg.call([use(10)]);
  await testOrg.call([use(1), use(1)]);
  t.same(await testOrg.texts('outbox'), [
    notice(50, 100, 50),
    notice(80, 100, 80),
    notice(90, 100, 90),
    notice(100, 100, 100),
    refused(100, 100, 1),
  ]);
});

onBoth('a call that crosses several thresholds creates a notice for each', ORG, async (t, testOrg) => {
  await testOrg.call([use(45), use(40)]);
  t.same(await testOrg.texts('outbox'), [notice(50, 100, 85), notice(80, 100, 85)]);
  await testOrg.call([use(15)]);
  t.same((await testOrg.texts('outbox')).slice(2), [notice(90, 100, 100), notice(100, 100, 100)]);
});

onBoth('the first hard refusal is reported, with the requested units', ORG, async (t, testOrg) => {
  await testOrg.call([use(96)]);
  await testOrg.call([use(50), use(50)]);
  await testOrg.call([use(10)]);
  t.same((await testOrg.texts('outbox')).slice(3), [refused(100, 96, 50)]);
});

onBoth('it hides no threshold, neither before nor after', ORG, async (t, testOrg) => {
  await testOrg.call([use(10_000)]);
  await testOrg.call([use(80), use(30)]);
  await testOrg.call([use(20)]);
  await testOrg.call([use(1)]);
  t.same(await testOrg.texts('outbox'), [
    refused(100, 0, 10_000),
    'refused|org||usage|maps|ana|1000|0|1000000|1500000|10000',
    notice(50, 100, 80),
    notice(80, 100, 80),
    notice(90, 100, 100),
    notice(100, 100, 100),
  ]);
});

onBoth('a raised cap arms it again, a refund or a lowered cap does not', ORG, async (t, testOrg) => {
  await testOrg.call([use(40)]);
  await testOrg.call([use(70)]);
  await testOrg.call([refund('ana', fixed('usage', 40)), use(101)]);
  await testOrg.commit(set('limits', 'usage:u:ana', 90));
  await testOrg.call([use(91)]);
  await testOrg.commit(set('limits', 'usage:u:ana', 200));
  await testOrg.call([use(201)]);
  t.same(await testOrg.texts('outbox'), [refused(100, 40, 70), refused(200, 40, 201)]);
});

onBoth('a refusal because of open holds creates no notice', ORG, async (t, testOrg) => {
  await testOrg.statuses([reserve('ana', held('usage', 100), { hold: 'h' }), use(1)]);
  t.same(await testOrg.texts('outbox'), []);
  await testOrg.do(settle('h', 100));
  t.same(await testOrg.texts('outbox'), all(100, 100), 'a settlement crosses as a charge does');
});

onBoth('a raised cap arms its notices again, a refund does not', ORG, async (t, testOrg) => {
  await testOrg.call([use(100)], ADMISSION);
  await testOrg.call([refund('ana', fixed('usage', 60))]);
  await testOrg.call([use(60)]);
  t.same(await testOrg.texts('outbox'), all(100, 100));
  await testOrg.commit(set('limits', 'usage:u:ana', 200));
  await testOrg.call([use(60)]);
  await testOrg.call([use(41)]);
  t.same((await testOrg.texts('outbox')).slice(4), [notice(80, 200, 160), refused(200, 160, 41)]);
});

onBoth('a lowered cap does not repeat earlier notices', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', 100), { hold: 'h' }), renew('h', 100)]);
  await testOrg.at(BEGIN_MS + TTL_MS);
  await testOrg.call([]);
  await testOrg.call([settle('h', 80)]);
  await testOrg.commit(set('limits', 'usage:u:ana', 90));
  await testOrg.call([use(10)]);
  t.same(await testOrg.texts('outbox'), all(100, 100, '1000000|1510000'));
});

onBoth('a limit lowered below consumption is reported at the refusal', ORG, async (t, testOrg) => {
  await testOrg.call([use(40)]);
  await testOrg.commit(set('limits', 'usage:u:ana', 30));
  await testOrg.call([use(1)]);
  t.same(await testOrg.texts('outbox'), [refused(30, 40, 1)]);
});

onBoth('a new cycle arms all of them', ORG, async (t, testOrg) => {
  await testOrg.call([use(100)]);
  await testOrg.at(2_000_000);
  await testOrg.call([use(100)], { cycles: [cycleOf(2), START] });
  t.same(await testOrg.texts('outbox'), [...all(100, 100), ...all(100, 100, '2000000|2000000')]);
});

onBoth('a late settlement in a closed cycle creates no notice', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', 100), { hold: 'h', ttlMs: 9_000_000 })]);
  await testOrg.at(2_000_000);
  await testOrg.call([settle('h', 100)], { cycles: [cycleOf(2), START] });
  t.same(await testOrg.texts('outbox'), []);
});

onBoth('groups and pools have theirs; the notice names who and what it was', ORG, async (t, testOrg) => {
  await testOrg.commit(
    set('groups', 'g1', '0;{"name":"g1"}'),
    set('members', 'bob', 'a:g1'),
    set('limits', 'usage:g:g1', 'u;500;0;w;0;0'),
    set('org', 'plan:usage', '600:s'),
  );
  await testOrg.call([use(90), use(500, 'bob')]);
  const of = (thresholds: number[], rest: string) => thresholds.map((threshold) => `${threshold}|${rest}`);
  t.same(await testOrg.texts('outbox'), [
    ...all(100, 90).slice(0, 3),
    ...of([50, 80, 90], 'org||usage|maps|bob|600|590|1000000|1500000'),
    ...of([50, 80, 90, 100], 'group|g1|usage|maps|bob|500|500|1000000|1500000'),
  ]);
  await testOrg.call([use(9, 'bob')]);
  await testOrg.call([use(2, 'bob')]);
  t.same((await testOrg.texts('outbox')).slice(10), ['100|org||usage|maps|bob|600|601|1000000|1500000']);
});

onBoth('a percent cap that a top-up raised is armed again', ORG, async (t, testOrg) => {
  await testOrg.commit(set('limits', 'usage:u:ana', 'p;1000000;0;h;0;0'));
  await testOrg.call([use(100)]);
  await testOrg.commit(set('org', 'extra:usage', 1000));
  await testOrg.call([use(100)]);
  t.same(await testOrg.texts('outbox'), [
    ...all(100, 100),
    ...[50, 80, 90, 100].slice(1).map((threshold) => notice(threshold, 200, 200)),
  ]);
});

onBoth(
  'the org sets the thresholds; without any, only a refusal creates a notice',
  { ...ORG, thresholds: '' },
  async (t, testOrg) => {
    await testOrg.call([use(100)]);
    t.same(await testOrg.texts('outbox'), []);
    await testOrg.call([use(1)]);
    t.same(await testOrg.texts('outbox'), [refused(100, 100, 1)]);
    await testOrg.commit(set('org', 'thresholds', '25'));
    await testOrg.call([use(250, 'bob')]);
    t.match((await testOrg.texts('outbox'))[1], /^25\|org/);
  },
);

onBoth(
  'each scope has thresholds of its own',
  { ...ORG, users: { ana: 'a:g1' }, groups: ['g1'], thresholds: '90;25,75;2' },
  async (t, testOrg) => {
    await testOrg.commit(set('limits', 'usage:g:g1', 400));
    await testOrg.call([use(80)]);
    const of = (scope: string, rest: string) => `${scope}|usage|maps|ana|${rest}|1000000|1500000`;
    t.same(await testOrg.texts('outbox'), [of('2|org|', '1000|80')], 'users have none at 25 or 75');
    await testOrg.call([use(15)]);
    t.same((await testOrg.texts('outbox')).slice(1), [of('90|user|ana', '100|95')]);
    await testOrg.commit(set('limits', 'usage:u:ana', 1_000));
    await testOrg.call([use(5)]);
    t.same((await testOrg.texts('outbox')).slice(2), [of('25|group|g1', '400|100')]);
    await testOrg.call([use(200)]);
    t.same((await testOrg.texts('outbox')).slice(3), [of('75|group|g1', '400|300')]);
  },
);

onBoth(
  'a scope without thresholds has no notices of them',
  { ...ORG, thresholds: ';;50' },
  async (t, testOrg) => {
    await testOrg.call([use(100)]);
    t.same(await testOrg.texts('outbox'), []);
    await testOrg.call([use(400, 'bob')]);
    t.same(await testOrg.texts('outbox'), ['50|org||usage|maps|bob|1000|500|1000000|1500000']);
  },
);
