// Plans and top-ups apply to the next request, keep percentage caps meaningful, and are recorded with their reason.
import t from 'tap';
import { problem, startAcme } from './support.js';

t.test('a plan counts for the next request, both ways', async (t) => {
  const { send, reserve } = await startAcme(t);
  t.match(await reserve('acme', 'ann', { lds: 5 }), { status: 'denied', reason: 'no-plan' });
  const put = await send('PUT', '/orgs/acme/plans/lds', { allowance: 8, reason: 'trial' });
  t.equal(put.status, 200);
  t.match(put.body, { quota: 'lds', allowance: 8, mode: 'hard', pool: 8, remaining: 8 });
  t.match(await reserve('acme', 'ann', { lds: 5 }), { status: 'admitted' });
  await send('PUT', '/orgs/acme/plans/lds', { allowance: 5 });
  t.match(await reserve('acme', 'ann', { lds: 1 }), { status: 'refused', reason: 'spent' });
  await send('PUT', '/orgs/acme/plans/lds', { allowance: 5, mode: 'soft' });
  t.match(await reserve('acme', 'ann', { lds: 1 }), { status: 'admitted' });
});

t.test('a top-up counts at once and keeps its reason', async (t) => {
  const { send, reserve } = await startAcme(t);
  await send('PUT', '/orgs/acme/plans/lds', { allowance: 5 });
  t.match(await reserve('acme', 'ann', { lds: 7 }), { status: 'refused' });
  const added = await send('POST', '/orgs/acme/plans/lds/extra', { units: 3, reason: 'order 17' });
  t.equal(added.status, 201);
  t.match(added.body, { allowance: 5, extra: 3, pool: 8 });
  t.match(await reserve('acme', 'ann', { lds: 7 }), { status: 'admitted' });
  const { items } = (await send('GET', '/orgs/acme/audit')).body;
  t.match(items[0], {
    action: 'extra.add',
    subject: 'plan:lds',
    from: { extra: 0 },
    to: { extra: 3, added: 3 },
    reason: 'order 17',
  });
});

t.test('a pool that grew reports its thresholds again', async (t) => {
  const { send, reserve, ledger } = await startAcme(t, { plans: { ai: { allowance: 10 } } });
  const start = Date.parse('2026-05-19T22:00:00Z');
  const marker = async () => {
    const { values } = await ledger.read('acme', [{ table: `consumed:${start}`, fields: ['!mark:ai:o'] }]);
    return values[0]?.[0];
  };
  await reserve('acme', 'ann', { ai: 10 });
  t.equal(await marker(), '100:10');
  await send('PUT', '/orgs/acme/plans/ai', { allowance: 9 });
  t.equal(await marker(), '100:10', 'not by falling');
  await send('PUT', '/orgs/acme/plans/ai', { allowance: 11 });
  t.equal(await marker(), null);
  await reserve('acme', 'ann', { ai: 1 });
  t.equal(await marker(), '100:11');
  await send('POST', '/orgs/acme/plans/ai/extra', { units: 1, reason: 'x' });
  t.equal(await marker(), null);
});

t.test('a top-up sent twice with the same If-Match is made once', async (t) => {
  const { send } = await startAcme(t, { plans: { ai: { allowance: 10 } } });
  const { headers } = await send('PUT', '/orgs/acme/plans/ai', { allowance: 20 });
  const match = { 'if-match': headers.get('etag') ?? '' };
  const topUp = () => send('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, match);
  const first = await topUp();
  t.match([first.status, first.body.extra], [201, 5]);
  t.same(problem(await topUp()), [412, 'version-stale']);
  const next = { 'if-match': first.headers.get('etag') ?? '' };
  const again = await send('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, next);
  t.match([again.status, again.body.extra], [201, 10]);
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  const put = async (body: unknown, quota = 'usage') =>
    problem(await send('PUT', `/orgs/acme/plans/${quota}`, body));
  t.same(await put({ allowance: 1 }, 'shoes'), [404, 'not-found']);
  t.same(await put({ allowance: -1 }), [422, 'input-invalid', 'allowance']);
  t.same(await put({ allowance: 0.25 }), [422, 'input-invalid', 'allowance'], 'usage has one decimal');
  t.same(await put({ allowance: 1e16 }), [422, 'input-invalid', 'allowance']);
  t.same(await put({ allowance: '5' }), [422, 'input-invalid', 'allowance']);
  t.same(await put({ allowance: 5, mode: 'loose' }), [422, 'input-invalid', 'mode']);
  const add = async (body: unknown, quota = 'ai') =>
    problem(await send('POST', `/orgs/acme/plans/${quota}/extra`, body));
  t.same(await add({ units: 0, reason: 'x' }), [422, 'input-invalid', 'units']);
  t.same(await add({ units: -4, reason: 'x' }), [422, 'input-invalid', 'units']);
  t.same(await add({ units: 4 }), [422, 'input-invalid', 'reason']);
  t.same(await add({ units: 4, reason: '' }), [422, 'input-invalid', 'reason']);
  t.same(await add({ units: 9e15, reason: 'x' }), [422, 'input-invalid', 'units']);
  t.same(await add({ units: 4, reason: 'x' }, 'lds'), [422, 'input-invalid', 'quota'], 'no plan');
});

t.test('If-Match', async (t) => {
  const { send } = await startAcme(t);
  const { quotas } = (await send('GET', '/orgs/acme/overview')).body;
  const seen = { 'if-match': quotas[0].etag };
  t.equal((await send('PUT', '/orgs/acme/plans/usage', { allowance: 4_000 }, seen)).status, 200);
  t.same(problem(await send('PUT', '/orgs/acme/plans/usage', { allowance: 3_000 }, seen)), [
    412,
    'version-stale',
  ]);
});

t.test('a plan cannot leave percent caps at 0, but may stop everything', async (t) => {
  const { send, reserve } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 10 });
  const put = (body: unknown) => send('PUT', '/orgs/acme/plans/usage', body);
  const refused = await put({ allowance: 0.9 });
  t.same(problem(refused), [422, 'input-invalid', 'allowance']);
  t.equal(refused.body.limits, 1);
  t.same(problem(await put({ allowance: 0, mode: 'soft' })), [422, 'input-invalid', 'allowance']);
  t.equal((await put({ allowance: 1 })).status, 200, 'a tenth is the smallest unit');
  t.equal((await put({ allowance: 0 })).status, 200);
  t.match(await reserve('acme', 'bob', { usage: 1 }), { status: 'refused' });
});

t.test('percent caps follow the pool at once', async (t) => {
  const { send, reserve } = await startAcme(t);
  const limit = await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 20 });
  t.equal(limit.body.cap, 1_000, '20 % of 5,000');
  t.match(await reserve('acme', 'ann', { usage: 10_001 }), { status: 'refused' });
  await send('POST', '/orgs/acme/plans/usage/extra', { units: 5, reason: 'more' });
  t.equal((await send('GET', `/orgs/acme/limits/usage:u:ann`)).body.cap, 1_001);
  t.match(await reserve('acme', 'ann', { usage: 10_001 }), { status: 'admitted' });
});

t.test('a dry run reports who would be blocked, and changes nothing', async (t) => {
  const { send, reserve } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 20 });
  await reserve('acme', 'ann', { usage: 3_000 });
  const dry = await send('PUT', '/orgs/acme/plans/usage?dryRun=true', { allowance: 1_000 });
  t.equal(dry.status, 200);
  t.same(dry.body, {
    wouldBlock: false,
    consumed: 300,
    held: 0,
    cap: 1_000,
    limitsBlocked: { count: 1, ids: ['usage:u:ann'] },
  });
  const all = await send('PUT', '/orgs/acme/plans/usage?dryRun=true', { allowance: 300 });
  t.equal(all.body.wouldBlock, true);
  t.equal((await send('GET', '/orgs/acme/overview')).body.quotas[0].allowance, 5_000);
  t.notMatch((await send('GET', '/orgs/acme/audit')).body.items[0], { action: 'plan.set' });
});

t.test('a plan that is put without a mode keeps the one it has; a new one is hard', async (t) => {
  const { send } = await startAcme(t);
  const put = async (body: object, query = '') =>
    (await send('PUT', `/orgs/acme/plans/usage${query}`, body)).body;
  await put({ allowance: 7, mode: 'soft' });
  t.match(await put({ allowance: 0 }, '?dryRun=true'), { wouldBlock: false });
  t.match(await put({ allowance: 9 }), { allowance: 9, mode: 'soft' });
  t.match((await send('PUT', '/orgs/acme/plans/lds', { allowance: 9 })).body, { mode: 'hard' });
});
