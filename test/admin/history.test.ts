// The usage history: what was charged and refused, by time and by what it is asked for, as JSON and CSV, to the last request.
import t from 'tap';
import { encodeRefusal } from '../../src/ledger/codec.js';
import type { Op } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { type Json, NOON, problem, startAcme } from './support.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const use = (user: string, quota: string, units: number, action = 'maps'): Op => ({
  kind: 'reserve',
  user,
  claims: '',
  charges: charges(action, [{ quota, units, kind: 'fixed' }]),
  hold: '',
  ttlMs: 0,
});

const refusal = (user: string, scope: 'user' | 'group' | 'org', count: number, group = ''): Op => ({
  kind: 'refusals',
  lines: encodeRefusal({ at: NOON, user, action: 'maps', quota: 'usage', scope, group, count }),
});

const figures = (quota: string, units: number, raw = units, refused = {}) => {
  return { quota, units, raw, refused: { user: 0, group: 0, org: 0, ...refused } };
};

t.test('summary, users and days, folded or not', async (t) => {
  const { send, apply, ledger, clock } = await startAcme(t);
  await apply('acme', [use('ann', 'usage', 15), use('bob', 'usage', 5), use('bob', 'ai', 7, 'chat')]);
  await apply('acme', [refusal('ann', 'user', 3), refusal('bob', 'group', 2, 'ops')]);
  clock.now = NOON + DAY_MS;
  await apply('acme', [use('ann', 'usage', 20)]);
  const expected = {
    period: { from: '2026-05-17', to: '2026-05-23', start: null, timeZone: 'Europe/Madrid', by: 'day' },
    summary: [figures('ai', 7), figures('usage', 4, 4, { user: 3, group: 2 })],
    users: [
      { user: 'bob', quotas: [figures('ai', 7), figures('usage', 0.5, 0.5, { group: 2 })] },
      { user: 'ann', quotas: [figures('usage', 3.5, 3.5, { user: 3 })] },
    ],
    usersTotal: 2,
    daily: [
      { day: '2026-05-22', ...figures('ai', 7) },
      { day: '2026-05-22', ...figures('usage', 2, 2, { user: 3, group: 2 }) },
      { day: '2026-05-23', ...figures('usage', 2) },
    ],
    rows: [],
  };
  t.same((await send('GET', '/orgs/acme/usage/history?period=7d')).body, expected, 'from the journal');
  await foldJournal(ledger, 'acme');
  t.same((await send('GET', '/orgs/acme/usage/history?period=7d')).body, expected, 'folded');
  const day = (await send('GET', '/orgs/acme/usage/history?day=2026-05-22&cumulative=true&by=hour')).body;
  t.same(
    day.rows.map(({ bucket, quota, units, cumulative }: Json) => [bucket, quota, units, cumulative]),
    [
      ['2026-05-22T12', 'ai', 7, 7],
      ['2026-05-22T12', 'usage', 2, 2],
    ],
  );
  const month = (await send('GET', '/orgs/acme/usage/history?period=last-month')).body;
  t.match(month.period, { start: null, from: '2026-04-01', to: '2026-04-30' });
  const cycle = (await send('GET', '/orgs/acme/usage/history?period=cycle&by=cycle&cumulative=true')).body;
  t.match(cycle.period, { start: '2026-05-19T22:00:00.000Z', from: '2026-05-20' });
  t.match(cycle.rows[1], { bucket: '2026-05-19T22:00:00.000Z', quota: 'usage', units: 4 });
  t.match(cycle.daily.at(-1), { day: '2026-05-23', cumulative: 4 });
});

t.test('by user, group, action, model and key, and filtered by them', async (t) => {
  const { send, apply } = await startAcme(t);
  const held = charges('chat', [{ quota: 'ai', units: 500, kind: 'held' }], 'gpt-4o%2A');
  await apply('acme', [
    use('ann', 'usage', 15),
    { ...use('bob', 'ai', 0), charges: held, hold: 'h1', ttlMs: 60_000 } as Op,
    { kind: 'settle', hold: 'h1', units: [60], estimated: false, model: 'gpt-4o%2A', raws: [20] },
    {
      kind: 'charge',
      user: 'ann',
      claims: '',
      charges: charges('chat', [{ quota: 'ai', units: 4, kind: 'fixed' }]),
      at: NOON,
      estimated: false,
      key: 'k1',
    },
  ]);
  const rows = async (query: string) =>
    (await send('GET', `/orgs/acme/usage/history?period=cycle&by=total&${query}`)).body.rows;
  t.match(await rows('groupBy=model&quota=ai'), [
    { model: 'none', units: 4 },
    { model: 'gpt-4o*', units: 60, raw: 20 },
  ]);
  t.match(await rows('groupBy=key&quota=ai'), [
    { key: 'none', units: 60 },
    { key: 'k1', units: 4 },
  ]);
  t.match(await rows('groupBy=group&quota=ai'), [
    { group: 'eng', units: 64 },
    { group: 'ops', units: 60 },
  ]);
  t.match(await rows('groupBy=user,action'), [
    { user: 'ann', action: 'chat', quota: 'ai', units: 4 },
    { user: 'bob', action: 'chat', quota: 'ai', units: 60 },
    { user: 'ann', action: 'maps', quota: 'usage', units: 1.5 },
  ]);
  t.match(await rows('user=ann&quota=ai'), [{ units: 4 }]);
  t.match(await rows('group=ops'), [{ quota: 'ai', units: 60 }]);
  t.match(await rows('model=gpt-4o*'), [{ units: 60 }]);
  t.match(await rows('key=k1'), [{ units: 4 }]);
  t.match(await rows('action=maps'), [{ quota: 'usage', units: 1.5 }]);
});

t.test('users of a group and groups of a user, as they were when it was charged', async (t) => {
  const { send, apply, ledger } = await startAcme(t);
  await apply('acme', [use('ann', 'usage', 15), use('bob', 'usage', 5), use('o', 'usage', 3)]);
  await apply('acme', [refusal('bob', 'group', 2, 'ops'), refusal('bob', 'user', 4)]);
  await send('DELETE', '/orgs/acme/groups/ops/members/bob');
  await apply('acme', [use('bob', 'usage', 20)]);
  for (const folded of [false, true]) {
    if (folded) await foldJournal(ledger, 'acme');
    const of = async (query: string) =>
      (await send('GET', `/orgs/acme/usage/history?period=cycle&by=total&${query}`)).body;
    t.match((await of('group=ops&groupBy=user')).rows, [
      { user: 'bob', units: 0.5, refused: { user: 0, group: 2, org: 0 } },
    ]);
    t.match((await of('group=eng&groupBy=user')).rows, [
      { user: 'ann', units: 1.5 },
      { user: 'bob', units: 2.5 },
    ]);
    t.match((await of('user=bob&groupBy=group')).rows, [
      { group: 'eng', units: 2.5 },
      { group: 'ops', units: 0.5 },
    ]);
    const members = await of('group=eng');
    t.equal(members.usersTotal, 2);
    t.match(members.users, [{ user: 'bob', quotas: [{ units: 2.5 }] }, { user: 'ann' }]);
    t.same((await of('user=o&groupBy=group')).rows, []);
    t.match((await of('groupBy=user')).rows, [{ user: 'ann' }, { user: 'bob' }, { user: 'o', units: 0.3 }]);
  }
});

t.test('CSV is streamed, and no cell is a formula', async (t) => {
  const { url, apply } = await startAcme(t);
  await apply('acme', [use('ann', 'usage', 15, 'maps'), use('-bob', 'usage', 5, 'maps')]);
  const answer = await fetch(`${url}/v1/orgs/acme/usage/history.csv?by=day&groupBy=user&cumulative=true`, {
    headers: { authorization: 'Bearer a-token-for-tests' },
  });
  t.match(answer.headers.get('content-type'), /^text\/csv/);
  t.equal(
    await answer.text(),
    [
      'bucket,user,quota,units,raw,refused_user,refused_group,refused_org,cumulative',
      "2026-05-22,'-bob,usage,0.5,0.5,0,0,0,0.5",
      '2026-05-22,ann,usage,1.5,1.5,0,0,0,1.5',
      '',
    ].join('\r\n'),
  );
});

t.test('what cannot be asked for is named', async (t) => {
  const { send } = await startAcme(t);
  const cases = {
    'period=8d': 'period',
    'day=2026-02-30': 'day',
    'day=2026-05-22&period=7d': 'period',
    'from=2026-05-22&to=2026-05-21': 'to',
    'from=2020-01-01': 'from',
    'groupBy=colour': 'groupBy',
    'quota=nope': 'quota',
    'period=year&by=hour&groupBy=user': 'by',
    'users=501': 'users',
  };
  for (const [query, field] of Object.entries(cases)) {
    const { status, body } = await send('GET', `/orgs/acme/usage/history?${query}`);
    t.equal(status, 422, query);
    t.equal(body.errors?.[0]?.field, field, `${query}: ${JSON.stringify(body)}`);
  }
  t.same(problem(await send('GET', '/orgs/nobody/usage/history')), [404, 'not-found']);
});

t.test('which limit binds, and why', async (t) => {
  const { send, apply } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'bob', quota: 'usage', units: 10 });
  await send('POST', '/orgs/acme/limits', { group: 'ops', quota: 'usage', units: 3 });
  await apply('acme', [use('bob', 'usage', 10)]);
  const { body } = await send('GET', '/orgs/acme/explain?user=bob');
  const usage = body.quotas.find(({ quota }: Json) => quota === 'usage');
  t.match(usage, { blocked: false, binding: { scope: 'group', subject: 'ops', remaining: 2 } });
  t.match(usage.why, /limit of group ops has the least remaining: 2/);
  t.same(
    usage.limits.map(({ scope, subject, remaining }: Json) => [scope, subject, remaining]),
    [
      ['user', 'bob', 9],
      ['group', 'ops', 2],
      ['org', 'acme', 4_999],
    ],
  );
  await apply('acme', [use('bob', 'usage', 20)]);
  t.match((await send('GET', '/orgs/acme/explain?user=bob')).body, { blocked: true, groups: ['eng', 'ops'] });
  t.same(problem(await send('GET', '/orgs/acme/explain?user=bob&action=nope')), [
    422,
    'input-invalid',
    'action',
  ]);
  t.same(problem(await send('GET', '/orgs/acme/explain?user=nobody')), [404, 'not-found']);
});
