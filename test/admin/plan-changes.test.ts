// Plans change now or from the next cycle on; their history has who and why; an archived org can be restored for 30 days.
import { fixed, reserve } from '../support/ledgers.js';
import { applyNow, NOON, onBothLedgers, problem } from './support.js';

const DAY_MS = 86_400_000;
const NEXT_CYCLE = Date.parse('2026-06-19T22:00:00Z');

onBothLedgers('from the next cycle on', async (t, { one, ledger, setClock }) => {
  const put = (body: object, query = '') => one('PUT', `/orgs/acme/plans/usage${query}`, body);
  const next = { allowance: 7_000, begins: 'next-cycle', reason: 'contract 2027' };
  const dry = await put({ ...next, allowance: 0 }, '?dryRun=true');
  t.match(dry.body, { wouldBlock: true, consumed: 0, cap: 0 });
  const before = (await one('GET', '/orgs/acme/plans/usage')).body;
  const set = await put(next);
  t.match(set.body, { allowance: 5_000, pool: 5_000, next: { allowance: 7_000, mode: 'hard' } });
  t.not(set.body.etag, before.etag);
  t.match((await one('GET', '/orgs/acme/plans')).body.items[0], {
    quota: 'usage',
    next: { allowance: 7_000 },
  });
  t.same(problem(await one('PUT', '/orgs/acme/plans/lds', { ...next })), [422, 'input-invalid', 'begins']);
  await setClock(NEXT_CYCLE - 1);
  t.match((await one('GET', '/orgs/acme/plans/usage')).body, { allowance: 5_000 });
  await setClock(NEXT_CYCLE);
  t.match((await one('GET', '/orgs/acme/plans/usage')).body, { allowance: 7_000, next: null });
  const [result] = (await applyNow(ledger, 'acme', [reserve('ann', fixed('usage', 70_000))])).results;
  t.equal(result?.status, 'admitted');
});

onBothLedgers('a change now, or back to the present plan, takes its place', async (t, { one, setClock }) => {
  const put = async (body: object) => (await one('PUT', '/orgs/acme/plans/usage', body)).body;
  const later = { begins: 'next-cycle' };
  t.match(await put({ allowance: 7_000, ...later }), { next: { allowance: 7_000 } });
  t.match(await put({ allowance: 5_000, ...later }), { allowance: 5_000, next: null });
  t.match(await put({ allowance: 7_000, ...later }), { next: { allowance: 7_000 } });
  t.match(await put({ allowance: 6_000 }), { allowance: 6_000, next: null });
  t.match(await put({ allowance: 6_000, mode: 'soft', ...later }), { mode: 'hard', next: { mode: 'soft' } });
  await setClock(NEXT_CYCLE);
  t.match((await one('GET', '/orgs/acme/plans/usage')).body, { allowance: 6_000, mode: 'soft' });
});

onBothLedgers('the history of a plan', async (t, { one, setClock }) => {
  await one('PUT', '/orgs/acme/plans/ai', { allowance: 3_000, reason: 'smaller' });
  await setClock(NOON + 1_000);
  await one('POST', '/orgs/acme/plans/ai/extra', { units: 500, reason: 'order 17' });
  await one('PUT', '/orgs/acme/plans/usage', { allowance: 1 });
  await setClock(NOON + 2_000);
  await one('PUT', '/orgs/acme/plans/ai', { allowance: 9_000, begins: 'next-cycle', reason: 'contract' });
  const changes = async (query = '') => (await one('GET', `/orgs/acme/plans/ai/history${query}`)).body;
  const at = (ms: number) => new Date(NOON + ms).toISOString();
  const [scheduled, extra, smaller] = [
    {
      kind: 'plan',
      allowance: 9_000,
      mode: 'soft',
      begins: new Date(NEXT_CYCLE).toISOString(),
      at: at(2_000),
    },
    { kind: 'extra', units: 500, at: at(1_000), who: 'bootstrap', reason: 'order 17' },
    { kind: 'plan', allowance: 3_000, mode: 'soft', begins: at(0), at: at(0), reason: 'smaller' },
  ];
  t.match(await changes(), { items: [scheduled, extra, smaller], cursor: null });
  t.same((await changes('?kind=extra')).items, [extra]);
  const first = await changes('?pageSize=2');
  t.match(first.items, [scheduled, extra]);
  t.match((await changes(`?pageSize=2&cursor=${first.cursor}`)).items, [smaller]);
});

onBothLedgers('an archive is undone within 30 days', async (t, { one, ledger, setClock }) => {
  const use = async () => (await applyNow(ledger, 'acme', [reserve('ann', fixed('usage', 1))])).results[0];
  await use();
  await one('DELETE', '/orgs/acme?reason=mistake');
  t.match(await use(), { status: 'denied', reason: 'org-archived' });
  t.same(problem(await one('PUT', '/orgs/acme/plans/usage', { allowance: 1 })), [403, 'org-archived']);
  await setClock(NOON + 28 * DAY_MS);
  t.same(problem(await one('POST', '/orgs/acme/restore', {}, { 'if-match': '"stale"' })), [
    412,
    'version-stale',
  ]);
  const restored = await one('POST', '/orgs/acme/restore', { reason: 'it was one' });
  t.match([restored.status, restored.body], [200, { state: 'open', seatsUsed: 2 }]);
  t.match((await one('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'org.restore',
    reason: 'it was one',
  });
  t.equal((await one('GET', '/orgs/acme/overview')).body.quotas[0].consumed, 0.1);
  t.match(await use(), { status: 'admitted' });
  await one('DELETE', '/orgs/acme');
  await setClock(NOON + 58 * DAY_MS);
  const late = await one('POST', '/orgs/acme/restore', {});
  t.same(problem(late), [403, 'org-archived']);
  t.match(late.body.detail, /30 days/);
});
