// Many limits are set at once: all rows or none, with one audit entry, and every bad row is reported.
import t from 'tap';
import { type Json, onBothLedgers, startAcme } from './support.js';

const BULK = '/orgs/acme/limits/bulk';
const PREVIEW = `${BULK}?dryRun=true`;

onBothLedgers('rows make limits and change present ones', async (t, { one, other }) => {
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', units: 100, shadow: true });
  const limits = [
    { user: 'ann', quota: 'usage', percent: 20 },
    { user: 'bob', quota: 'usage', units: 12.5 },
    { group: 'eng', quota: 'ai', units: 900 },
  ];
  const counts = { rows: 3, added: 2, changed: 1, unchanged: 0 };
  t.match((await one('POST', PREVIEW, { limits })).body, {
    ...counts,
    wouldBlock: false,
    usersBlocked: { count: 0, users: [] },
  });
  t.equal((await one('GET', '/orgs/acme/limits/usage:u:bob')).status, 404, 'a dry run changes nothing');
  const done = await one('POST', BULK, { limits, reason: 'spring' });
  t.equal(done.status, 200);
  t.strictSame(done.body, counts);
  t.match((await other('GET', '/orgs/acme/limits/usage:u:ann')).body, {
    percent: 20,
    cap: 1_000,
    shadow: true,
  });
  t.match((await other('GET', '/orgs/acme/limits/usage:u:bob')).body, { units: 12.5, shadow: false });
  t.match((await other('GET', '/orgs/acme/limits/ai:g:eng')).body, { units: 900 });
  const [entry, before] = (await one('GET', '/orgs/acme/audit')).body.items;
  t.match(entry, { action: 'limit.bulk', subject: 'limits', to: counts, reason: 'spring' });
  t.match(before, { action: 'limit.add' }, 'one entry');
  t.match((await one('POST', BULK, { limits })).body, { added: 0, changed: 0, unchanged: 3 });
  t.equal((await one('GET', '/orgs/acme/audit')).body.items[0].id, entry.id, 'nothing changed, no entry');
  const shadow = [{ user: 'bob', quota: 'usage', shadow: true }];
  t.match((await one('POST', BULK, { limits: shadow })).body, { changed: 1 });
  t.match((await one('GET', '/orgs/acme/limits/usage:u:bob')).body, { units: 12.5, shadow: true });
});

onBothLedgers('bad rows are all reported, and nothing changes', async (t, { ledger, one }) => {
  const limits = [
    { user: 'ann', quota: 'usage', units: 5 },
    { user: 'nobody', quota: 'usage', units: 5 },
    { group: 'none', quota: 'usage', units: 5 },
    { user: 'bob', quota: 'usage', units: 0.05 },
    { user: 'bob', quota: 'shoes', units: 5 },
    { user: 'bob', quota: 'lds', percent: 5 },
    { user: 'bob', group: 'eng', quota: 'ai', units: 5 },
    { user: 'bob', quota: 'ai', units: 5, percent: 5 },
    { user: 'bob', quota: 'ai', units: '5' },
    { user: 'bob', quota: 'ai', colour: 'red' },
    { user: 'bob', quota: 'ai', shadow: true },
    { user: 'ann', quota: 'usage', units: 6 },
    'x'.repeat(300),
  ];
  const { version } = await ledger.read('acme', []);
  const { status, body } = await one('POST', BULK, { limits });
  t.equal(status, 422);
  t.match(body, {
    code: 'input-invalid',
    problems: 12,
    detail: /^no limit was set: 12 problems, the first: /,
  });
  t.same(
    body.errors.map(({ row, field, value }: Json) => [row, field, value]),
    [
      [1, 'limits/1/user', 'nobody'],
      [2, 'limits/2/group', 'none'],
      [3, 'limits/3/units', 0.05],
      [4, 'limits/4/quota', 'shoes'],
      [5, 'limits/5/percent', 5],
      [6, 'limits/6/user', 'bob'],
      [7, 'limits/7/percent', 5],
      [8, 'limits/8/units', '5'],
      [9, 'limits/9/colour', 'red'],
      [10, 'limits/10/units', null],
      [11, 'limits/11/user', 'ann'],
      [12, 'limits/12', 'x'.repeat(100)],
    ],
  );
  t.match(body.errors[10], { problem: /row 0 has already/, remedy: /leave out one/ }, 'a duplicate');
  t.match(body.errors[3], { problem: /shoes not found/, remedy: /usage, lds, ai/ });
  for (const { field, problem, remedy } of body.errors)
    t.ok(problem && remedy, `${field}: ${problem}; ${remedy}`);
  t.match(await one('POST', PREVIEW, { limits }), { status: 422, body: { problems: 12 } });
  t.equal((await ledger.read('acme', [])).version, version, 'nothing changed');
  t.same((await one('GET', '/orgs/acme/limits')).body.items, []);
  for (const bad of [{}, { limits: [] }, { limits: {} }, { limits: [{}], more: 1 }, []])
    t.match(await one('POST', BULK, bad), { status: 422, body: { code: 'input-invalid' } });
});

t.test('a dry run names whom the limits would block, each once', async (t) => {
  const people = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`u${String(index).padStart(3, '0')}`, { groups: ['eng'] }]),
  );
  const { send, reserve } = await startAcme(t, { seats: 200, users: { ...people, zed: {} } });
  await reserve('acme', 'u000', { ai: 10 });
  await reserve('acme', 'zed', { ai: 10 });
  const preview = async (limits: object[]) => (await send('POST', PREVIEW, { limits })).body;
  const ofZed = { user: 'zed', quota: 'ai', units: 10 };
  const ofFirst = { user: 'u000', quota: 'ai', units: 10 };
  t.match(await preview([ofZed, { user: 'u001', quota: 'ai', units: 1 }]), {
    wouldBlock: true,
    usersBlocked: { count: 1, users: ['zed'] },
  });
  const { wouldBlock, usersBlocked } = await preview([
    ofZed,
    ofFirst,
    { group: 'eng', quota: 'ai', units: 9 },
  ]);
  t.equal(wouldBlock, true);
  t.equal(usersBlocked.count, 121);
  t.same(usersBlocked.users, Object.keys(people).slice(0, 100));
  t.match(await preview([{ ...ofZed, shadow: true }]), { wouldBlock: false });
});

t.test('limits hold for the next request, and a higher cap reports its thresholds again', async (t) => {
  const { send, reserve, ledger } = await startAcme(t, {
    limits: [{ user: 'ann', quota: 'usage', units: 1 }],
  });
  await reserve('acme', 'ann', { usage: 10 });
  const mark = async () => {
    const table = `consumed:${Date.parse('2026-05-19T22:00:00Z')}` as const;
    return (await ledger.read('acme', [{ table, fields: ['!mark:usage:u:ann'] }])).values[0]?.[0];
  };
  t.ok(await mark());
  await send('POST', BULK, {
    limits: [
      { user: 'ann', quota: 'usage', units: 2 },
      { user: 'bob', quota: 'usage', units: 0.5 },
    ],
  });
  t.equal(await mark(), null);
  t.match(await reserve('acme', 'ann', { usage: 10 }), { status: 'admitted' });
  t.match(await reserve('acme', 'bob', { usage: 6 }), { status: 'refused', violated: [{ limit: 5 }] });
});

onBothLedgers('5,000 rows become current in one step', async (t, { ledger, one, other }) => {
  await one('PUT', '/orgs/acme', { cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' } });
  const ids = Array.from({ length: 5_000 }, (_, index) => `u${index}`);
  await one(
    'POST',
    '/orgs/acme/users/import',
    ids.map((id) => ({ id })),
  );
  const limits = ids.map((user, index) => ({ user, quota: 'usage', units: index + 1 }));
  const bad = [...limits.slice(0, -1), { user: 'nobody', quota: 'usage', units: 1 }];
  t.match(await one('POST', BULK, { limits: bad }), {
    status: 422,
    body: { problems: 1, errors: [{ row: 4_999, field: 'limits/4999/user', value: 'nobody' }] },
  });
  t.equal((await one('GET', '/orgs/acme/limits/usage:u:u0')).status, 404, 'a bad row changes nothing');
  t.match(await one('POST', BULK, { limits }), { status: 200, body: { rows: 5_000, added: 5_000 } });
  t.match((await other('GET', '/orgs/acme/limits/usage:u:u4999')).body, { units: 5_000 });
  t.match((await one('POST', BULK, { limits: limits.map((row) => ({ ...row, units: 7 })) })).body, {
    changed: 4_999,
    unchanged: 1,
  });
  t.match((await other('GET', '/orgs/acme/limits/usage:u:u4999')).body, { units: 7 });
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['state'] }]);
  t.same(values, [['open']]);
});

t.test('the same key and body have one effect', async (t) => {
  const { send } = await startAcme(t);
  const body = { limits: [{ user: 'ann', quota: 'usage', units: 5 }] };
  const key = { 'idempotency-key': 'k1' };
  const first = await send('POST', BULK, body, key);
  await send('PATCH', '/orgs/acme/limits/usage:u:ann', { units: 6 });
  t.strictSame((await send('POST', BULK, body, key)).body, first.body);
  t.match((await send('GET', '/orgs/acme/limits/usage:u:ann')).body, { units: 6 });
});
