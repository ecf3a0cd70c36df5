// User and group limits are hard; a pool is hard or soft, any limit can be in shadow, and without a plan nothing passes.
import { fixed, gate, held, onBoth, reserve, set, tightOf, violatedOf } from '../../support/ledgers.js';

const SOFT = { plans: { usage: '10:s' }, users: { ana: 'a:g1' }, groups: ['g1'] };

onBoth('a soft pool goes on past 100 %, and tells so', SOFT, async (t, book) => {
  const within = await book.do(reserve('ana', fixed('usage', 10)));
  t.same(violatedOf(within), []);
  const beyond = await book.do(reserve('ana', fixed('usage', 5)));
  t.match(beyond, {
    status: 'admitted',
    violated: [{ scope: 'org', limit: 10, consumed: 10, requested: 5 }],
  });
  t.equal(await book.line('usage:o'), '15+0');
  t.match(tightOf(beyond), [{ quota: 'usage', limit: 0, remaining: 0 }]);
  t.equal(tightOf(beyond)[0]?.scope, undefined, 'no hard limit to tell of');
});

onBoth('a hold past a soft pool is told too', SOFT, async (t, book) => {
  const result = await book.do(reserve('ana', held('usage', 11), { hold: 'h' }));
  t.match(result, { status: 'admitted', violated: [{ scope: 'org', requested: 11 }] });
});

const CAPPED = { ...SOFT, limits: { 'usage:u:ana': 12, 'usage:g:g1': 'u;5;0;w;0;0' } };

onBoth('in a soft pool the limits of users stay hard', CAPPED, async (t, book) => {
  t.same(await book.told([reserve('ana', fixed('usage', 12)), reserve('ana', fixed('usage', 1))]), [
    'admitted',
    'spent',
  ]);
});

onBoth('a limit in shadow is evaluated, counted and told, and never refuses', CAPPED, async (t, book) => {
  const result = await book.do(reserve('ana', fixed('usage', 6)));
  t.match(result, {
    status: 'admitted',
    violated: [{ scope: 'group', group: 'g1', limit: 5, requested: 6 }],
  });
  t.equal(await book.line('usage:g:g1'), '6+0');
  t.match(tightOf(result), [{ scope: 'user', limit: 12, remaining: 6 }], 'a shadow is not shown as a limit');
});

onBoth('a refusal names only what refuses', CAPPED, async (t, book) => {
  const result = await book.do(reserve('ana', fixed('usage', 13)));
  t.same(
    violatedOf(result).map((one) => one.scope),
    ['user'],
  );
});

onBoth('a pool in shadow never refuses', { ...SOFT, plans: { usage: '10:w' } }, async (t, book) => {
  const result = await book.do(reserve('ana', fixed('usage', 11)));
  t.match(result, { status: 'admitted', violated: [{ scope: 'org' }] });
});

onBoth('allowance 0 and soft counts only', { ...SOFT, plans: { usage: '0:s' } }, async (t, book) => {
  t.same(await book.told([reserve('ana', fixed('usage', 4)), reserve('ana', gate('usage'))]), [
    'admitted',
    'admitted',
  ]);
  t.equal(await book.line('usage:u:ana'), '4+0');
});

onBoth('allowance 0 and hard lets nothing pass', { ...SOFT, plans: { usage: 0 } }, async (t, book) => {
  t.same(await book.told([reserve('ana', fixed('usage', 1)), reserve('ana', gate('usage'))]), [
    'spent',
    'spent',
  ]);
});

onBoth('without a plan for each quota a request is denied, gates too', SOFT, async (t, book) => {
  const ops = [
    reserve('ana', fixed('lds', 1)),
    reserve('ana', [fixed('usage', 1), gate('lds')]),
    reserve('ana', fixed('usage', 1)),
  ];
  t.same(await book.told(ops), ['no-plan', 'no-plan', 'admitted']);
  t.equal(await book.line('usage:o'), '1+0');
  await book.commit(set('org', 'plan:lds', '5:h'));
  t.same(await book.told([reserve('ana', fixed('lds', 1))]), ['admitted']);
});
