// Allowance is used before extra; at the close of a cycle unused allowance expires and used extra is written down, once.
import {
  ADMISSION,
  BEGIN_MS,
  cycleOf,
  fixed,
  held,
  incr,
  onBoth,
  refund,
  release,
  renew,
  reserve,
  START,
  set,
  settle,
  violatedOf,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 100 }, extra: { usage: 20 }, users: { ana: 'a:' } };
const SECOND = { cycles: [cycleOf(2), START] };
const THIRD = { cycles: [cycleOf(3), cycleOf(2), START] };
const use = (units: number) => reserve('ana', fixed('usage', units));
const hold = (units: number, id = 'h') =>
  reserve('ana', held('usage', units), { hold: id, ttlMs: 5_000_000 });

onBoth('the pool is allowance and extra', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([use(120), use(1)]), ['admitted', 'spent']);
  t.equal(await testOrg.orgField('extra:usage'), '20', 'while the cycle is open nothing is written');
});

onBoth('what went past the allowance is taken off the extra, once', ORG, async (t, testOrg) => {
  await testOrg.do(use(107));
  await testOrg.at(2_000_000);
  await testOrg.call([], SECOND);
  t.equal(await testOrg.orgField('extra:usage'), '13');
  await testOrg.call([], SECOND);
  t.equal(await testOrg.orgField('extra:usage'), '13');
  t.same(await testOrg.statuses([use(113), use(1)], SECOND), ['admitted', 'spent']);
});

onBoth('unused allowance expires, unused extra does not', ORG, async (t, testOrg) => {
  await testOrg.do(use(10));
  await testOrg.at(2_000_000);
  t.same(await testOrg.statuses([use(121), use(120)], SECOND), ['spent', 'admitted']);
});

onBoth(
  'a soft pool takes no more of the extra than there is',
  { ...ORG, plans: { usage: '100:s' } },
  async (t, testOrg) => {
    await testOrg.do(use(500));
    await testOrg.at(2_000_000);
    await testOrg.call([], SECOND);
    t.equal(await testOrg.orgField('extra:usage'), '0');
  },
);

onBoth('skipped cycles close as one', ORG, async (t, testOrg) => {
  await testOrg.do(use(105));
  await testOrg.at(4_200_000);
  const reply = await testOrg.apply([use(115), use(1)], { cycles: [cycleOf(4), START] });
  t.match(reply, { code: 'ok', previous: START.start, cycle: cycleOf(4) });
  t.same(
    reply.results.map((result) => result.status),
    ['admitted', 'refused'],
  );
  t.equal(await testOrg.orgField('extra:usage'), '15');
  t.same(await testOrg.fields('cycles'), { '1000000': '2000000' });
});

onBoth('a hold that reaches into extra stays held against it over the boundary', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(95), hold(20)]);
  await testOrg.at(2_000_000);
  const refused = await testOrg.do(use(106), SECOND);
  t.match(refused, {
    status: 'refused',
    reason: 'held',
    violated: [{ scope: 'org', limit: 120, consumed: 0, held: 15, requested: 106 }],
  });
  t.same(await testOrg.statuses([use(105), use(1)], SECOND), ['admitted', 'held']);
});

onBoth(
  'settled later, it takes of the extra what it took, and gives back the rest',
  ORG,
  async (t, testOrg) => {
    await testOrg.statuses([use(95), hold(20)]);
    await testOrg.at(2_000_000);
    await testOrg.call([], SECOND);
    t.match(await testOrg.do(settle('h', 8), SECOND), { status: 'settled', overshoot: [0] });
    t.equal(await testOrg.orgField('extra:usage'), '17');
    t.equal(await testOrg.orgField('carry:usage'), '0');
    t.same(await testOrg.statuses([use(117), use(1)], SECOND), ['admitted', 'spent']);
  },
);

onBoth('released later, it gives back all of it', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(95), hold(20)]);
  await testOrg.at(2_000_000);
  t.same(await testOrg.statuses([release('h'), use(120), use(1)], SECOND), ['released', 'admitted', 'spent']);
});

onBoth('a refund in a closed cycle gives back the extra it took', ORG, async (t, testOrg) => {
  await testOrg.do(use(110), ADMISSION);
  await testOrg.at(2_000_000);
  const back = refund('ana', fixed('usage', 4), { at: BEGIN_MS });
  t.same(await testOrg.statuses([back, use(114), use(1)], SECOND), ['refunded', 'admitted', 'spent']);
  t.equal(await testOrg.orgField('extra:usage'), '14');
});

onBoth('a hold of the cycle before the last one, too', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(95), hold(20)]);
  await testOrg.at(2_000_000);
  await testOrg.do(use(102), SECOND);
  await testOrg.at(3_000_000);
  await testOrg.call([], THIRD);
  t.equal(await testOrg.orgField('extra:usage'), '18');
  t.same(await testOrg.statuses([use(104), settle('h', 20), use(103), use(1)], THIRD), [
    'held',
    'settled',
    'admitted',
    'spent',
  ]);
  t.equal(await testOrg.orgField('extra:usage'), '3');
});

onBoth(
  'an extension over the boundary gets extra that is left, and not what the new cycle took',
  ORG,
  async (t, testOrg) => {
    await testOrg.statuses([use(95), hold(5)]);
    await testOrg.at(2_000_000);
    await testOrg.do(use(112), SECOND);
    const refused = await testOrg.do(renew('h', 5, 9), SECOND);
    t.match(refused, { status: 'refused' });
    t.match(violatedOf(refused), [{ scope: 'org', limit: 108, consumed: 95, held: 5, requested: 9 }]);
    t.same(await testOrg.statuses([renew('h', 5, 8), use(1)], SECOND), ['renewed', 'held']);
    await testOrg.do(settle('h', 13), SECOND);
    await testOrg.at(3_000_000);
    await testOrg.call([], THIRD);
    t.equal(await testOrg.orgField('extra:usage'), '0', 'all of it is used, and none of it twice');
  },
);

onBoth('an extension within the old allowance needs nothing of the new cycle', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(10), hold(5)]);
  await testOrg.at(2_000_000);
  t.same(await testOrg.statuses([use(120), renew('h', 5, 85), renew('h', 5, 1)], SECOND), [
    'admitted',
    'renewed',
    'held',
  ]);
});

onBoth('a top-up counts from now on, and lasts', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(120)]);
  await testOrg.commit(incr('org', 'extra:usage', 5));
  t.same(await testOrg.statuses([use(5), use(1)]), ['admitted', 'spent']);
  await testOrg.at(2_000_000);
  await testOrg.call([], SECOND);
  t.equal(await testOrg.orgField('extra:usage'), '0');
  await testOrg.commit(set('org', 'extra:usage', 3));
  await testOrg.at(3_000_000);
  t.same(await testOrg.statuses([use(103), use(1)], THIRD), ['admitted', 'spent']);
});

onBoth('extra never falls below 0: a top-up counts in full', ORG, async (t, testOrg) => {
  await testOrg.statuses([use(95), hold(20), release('h', 'keep'), hold(20, 'i')]);
  await testOrg.at(2_000_000);
  await testOrg.statuses([hold(1, 'j'), settle('j', 130)], SECOND);
  await testOrg.at(3_000_000);
  await testOrg.call([], THIRD);
  t.equal(await testOrg.orgField('extra:usage'), '0', 'the overshoot took all of it');
  t.match(await testOrg.statuses([settle('i', 20), settle('h', 20)], THIRD), ['settled', 'settled']);
  t.equal(await testOrg.orgField('extra:usage'), '0');
  t.equal(await testOrg.orgField('carry:usage'), '0');
  await testOrg.do(settle('h', 5), THIRD);
  t.equal(await testOrg.orgField('extra:usage'), '0', 'what was not taken is not given back');
  await testOrg.commit(incr('org', 'extra:usage', 100));
  t.same(await testOrg.statuses([use(200), use(1)], THIRD), ['admitted', 'spent']);
});
