// A renewal prolongs a hold, records its progress, and gets all additional units it asks for or none.
import {
  BEGIN_MS,
  bindingLimitsOf,
  cycleOf,
  fixed,
  held,
  onBoth,
  renew,
  reserve,
  START,
  settle,
  TTL_MS,
} from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100, lds: 10 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:g:g1': 30 },
};
const TEN = reserve('ana', held('usage', 10), { hold: 'h' });

onBoth('it lives from the renewal on, by the store clock', ORG, async (t, testOrg) => {
  await testOrg.do(TEN);
  await testOrg.at(BEGIN_MS + TTL_MS - 1);
  t.same(await testOrg.statuses([renew('h', 3)]), ['renewed']);
  await testOrg.at(BEGIN_MS + 2 * TTL_MS - 2);
  t.match(await testOrg.apply([]), { expired: 0 });
  await testOrg.at(BEGIN_MS + 2 * TTL_MS - 1);
  t.match(await testOrg.apply([]), { expired: 1 });
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
});

onBoth('more is held on every line if it fits', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([TEN, renew('h', 3, 20)]), ['admitted', 'renewed']);
  for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:o']) t.equal(await testOrg.line(line), '0+30');
  t.match(await testOrg.do(settle('h', 30)), { overshoot: [0] });
  t.equal(await testOrg.line('usage:g:g1'), '30+0');
});

onBoth(
  'if more does not fit, nothing more is held, and the hold is still renewed',
  ORG,
  async (t, testOrg) => {
    await testOrg.statuses([TEN, reserve('ana', fixed('usage', 5))]);
    await testOrg.at(BEGIN_MS + 10);
    const refused = await testOrg.do(renew('h', 4, 16));
    t.match(refused, {
      status: 'refused',
      reason: 'held',
      groups: 'g1',
      violated: [
        { quota: 'usage', scope: 'group', group: 'g1', limit: 30, consumed: 5, held: 10, requested: 16 },
      ],
    });
    t.match(bindingLimitsOf(refused), [{ quota: 'usage', scope: 'group', limit: 30, remaining: 15 }]);
    t.equal(await testOrg.line('usage:u:ana'), '5+10');
    await testOrg.at(BEGIN_MS + TTL_MS + 9);
    t.match(await testOrg.apply([]), { expired: 0 });
    await testOrg.at(BEGIN_MS + TTL_MS + 10);
    await testOrg.call([]);
    t.equal(await testOrg.line('usage:u:ana'), '9+0', 'the progress was noted');
  },
);

onBoth('spent differs from held', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, reserve('ana', fixed('usage', 20))]);
  t.match(await testOrg.do(renew('h', 0, 11)), { status: 'refused', reason: 'spent' });
  t.match(await testOrg.do(renew('h', 0, 10)), { status: 'refused', reason: 'held' });
});

onBoth('of several items, all are extended or none', ORG, async (t, testOrg) => {
  const both = reserve('ana', [held('usage', 10), fixed('ai', 1), held('lds', 5)], { hold: 'h' });
  await testOrg.commit({ set: 'org', field: 'plan:ai', value: '9:h' });
  await testOrg.do(both);
  const quotas = ['usage', 'ai', 'lds'];
  const refused = await testOrg.do(renew('h', 0, 0, { quotas, units: [1, 1, 1], more: [5, 0, 6] }));
  t.match(refused, { status: 'refused', violated: [{ quota: 'lds', scope: 'org', requested: 6 }] });
  t.same(
    bindingLimitsOf(refused).map((one) => one.quota),
    ['usage', 'lds'],
  );
  t.equal(await testOrg.line('usage:o'), '0+10');
  t.same(await testOrg.statuses([renew('h', 0, 0, { quotas, units: [1, 1, 1], more: [0, 0, 5] })]), [
    'renewed',
  ]);
  t.equal(await testOrg.line('lds:o'), '0+10');
  t.equal(await testOrg.line('ai:o'), '1+0');
});

onBoth('an extension in a closed cycle lies on that cycle', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 2_000_000 }));
  await testOrg.at(2_000_000);
  const second = { cycles: [cycleOf(2), START] };
  t.same(
    await testOrg.statuses([reserve('ana', fixed('usage', 30)), renew('h', 0, 20), renew('h', 0, 1)], second),
    ['admitted', 'renewed', 'held'],
  );
  t.equal(await testOrg.line('usage:g:g1', START.start), '0+30');
  t.equal(await testOrg.line('usage:g:g1', 2_000_000), '30+0');
});

onBoth('a cycle that the call does not name leaves its holds as they are', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 2_000_000 }));
  await testOrg.at(2_000_000);
  await testOrg.call([], { cycles: [cycleOf(2), START] });
  const before = await testOrg.dump();
  const ops = [settle('h', 1), renew('h', 1, 1), { kind: 'release', hold: 'h', keep: true } as const];
  t.same(await testOrg.statuses(ops, { cycles: [cycleOf(2)] }), [
    'other-cycle',
    'other-cycle',
    'other-cycle',
  ]);
  t.equal(await testOrg.dump(), before);
});

onBoth(
  'due but not yet expired, it is renewed and does not expire while limits are checked',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(TEN);
    await testOrg.at(BEGIN_MS + TTL_MS);
    const reply = await testOrg.apply([renew('h', 2, 25)], { expireMost: 0 });
    t.match(reply, { expired: 0, results: [{ status: 'refused', reason: 'held' }] });
    t.equal(await testOrg.line('usage:u:ana'), '0+10');
    t.same(await testOrg.statuses([renew('h', 2, 20), settle('h', 25)]), ['renewed', 'settled']);
    t.equal(await testOrg.line('usage:u:ana'), '25+0');
  },
);

onBoth('an unknown hold is not renewed', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([renew('h', 1, 1)]), ['unknown-hold']);
});
