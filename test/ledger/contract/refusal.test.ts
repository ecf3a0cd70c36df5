// A refusal changes no consumed, held or history figure, and distinguishes a spent limit from one that is only held.
import type { ChargeItem } from '../../../src/quota/charge.js';
import { fixed, gate, held, onBoth, renew, reserve, settle, violatedOf } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100, lds: 100, ai: '100:s' },
  extra: { usage: 5 },
  users: { ana: 'a:g1', bob: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:u:ana': 20, 'usage:g:g1': 30 },
};

onBoth('held refusals leave the org as it was, to the letter', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', 20), { hold: 'h' }), reserve('bob', fixed('usage', 3))]);
  const before = await testOrg.dump();
  const ops = [
    reserve('ana', [fixed('lds', 1), fixed('ai', 500), fixed('usage', 1)]),
    reserve('ana', held('usage', 20), { hold: 'k' }),
    reserve('bob', fixed('usage', 8)),
    reserve('ana', [gate('usage'), fixed('lds', 1)]),
  ];
  t.same(await testOrg.statuses(ops), ['held', 'held', 'held', 'held']);
  t.equal(await testOrg.dump(), before);
});

onBoth('spent refusals and denials leave every figure as it was', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', fixed('usage', 20))]);
  const ops = [
    reserve('ana', [fixed('lds', 1), fixed('usage', 1)]),
    reserve('bob', held('usage', 11), { hold: 'k' }),
    reserve('bob', fixed('nothing', 1)),
  ];
  t.same(
    await testOrg.statuses(ops),
    ['spent', 'spent', 'no-plan'],
    'the first refusals queue their notices',
  );
  const before = await testOrg.dump();
  t.same(await testOrg.statuses(ops), ['spent', 'spent', 'no-plan']);
  t.equal(await testOrg.dump(), before);
  t.equal(await testOrg.line('usage:g:g1'), '20+0');
  t.same(await testOrg.fields('holds'), {});
  t.same(await testOrg.texts('journal'), ['1500000|ana|g1|maps|usage=20|']);
});

onBoth('held: it would fit but for holds in flight; spent: it would not', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', fixed('usage', 12)), reserve('ana', held('usage', 5), { hold: 'h' })]);
  t.match(await testOrg.do(reserve('ana', fixed('usage', 8))), { reason: 'held' });
  t.match(await testOrg.do(reserve('ana', fixed('usage', 9))), { reason: 'spent' });
});

onBoth('one spent limit makes the refusal spent', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', fixed('usage', 20)), reserve('bob', held('usage', 8), { hold: 'h' })]);
  const result = await testOrg.do(reserve('ana', fixed('usage', 3)));
  t.match(result, { reason: 'spent' });
  t.same(
    violatedOf(result).map((one) => `${one.scope} ${one.consumed}+${one.held}/${one.limit}`),
    ['user 20+0/20', 'group 20+8/30'],
  );
});

const OTHERS_HOLD = { ...ORG, limits: { 'usage:u:bob': 20, 'usage:g:g1': 30 } };

onBoth(
  'the first spent limit is the primary violation, or the first if none is spent',
  OTHERS_HOLD,
  async (t, testOrg) => {
    await testOrg.call([
      reserve('bob', held('usage', 15), { hold: 'h' }),
      reserve('ana', fixed('usage', 10)),
      reserve('ana', fixed('lds', 100)),
    ]);
    const primaryOf = async (items: readonly ChargeItem[]) => {
      const result = await testOrg.do(reserve('bob', items));
      if (result.status !== 'refused') throw new Error(result.status);
      const { quota, scope } = result.violated[result.primary] ?? {};
      return `${result.violated.length} violated, ${result.reason}: ${quota} ${scope}`;
    };
    t.equal(await primaryOf([fixed('usage', 6)]), '2 violated, held: usage user');
    t.equal(await primaryOf([fixed('usage', 6), fixed('lds', 1)]), '3 violated, spent: lds org');
    t.equal(await primaryOf([fixed('usage', 21), fixed('lds', 1)]), '3 violated, spent: usage user');
    await testOrg.do(reserve('bob', held('usage', 1), { hold: 'k' }));
    const more = await testOrg.do(renew('k', 0, 25));
    t.match(more, { status: 'refused', reason: 'spent', primary: 0 });
  },
);

onBoth('what remains is reported, also for an exceeded limit', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', fixed('usage', 18))]);
  const result = await testOrg.do(reserve('ana', [fixed('usage', 3), fixed('lds', 1)]));
  t.match(result, {
    bindingLimits: [
      { quota: 'usage', scope: 'user', limit: 20, remaining: 2 },
      { quota: 'lds', scope: 'org', limit: 100, remaining: 100 },
    ],
  });
});

onBoth('a refused reservation leaves no hold to settle', ORG, async (t, testOrg) => {
  const ops = [reserve('ana', held('usage', 21), { hold: 'h' }), settle('h', 1)];
  t.same(await testOrg.statuses(ops), ['spent', 'unknown-hold']);
});
