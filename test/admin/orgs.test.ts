// An org is created once, changed only at the state that was read, rolls into its present cycle before it is shown, and
// is archived forever.
import t from 'tap';
import { appendedAt } from '../../src/ledger/codec.js';
import { encodeExport } from '../../src/ledger/journal-export.js';
import { charges } from '../../src/quota/charge.js';
import { applyNow, NOON, onBothLedgers, problem, startAcme, startAdmin, startReplica } from './support.js';

const MONTH = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };

t.test('create, read, list, change', async (t) => {
  const { send } = await startAdmin(t);
  t.same((await send('GET', '/orgs')).body, { items: [], cursor: null });
  const created = await send('PUT', '/orgs/acme', { name: 'Acme', seats: 3, cycle: MONTH });
  t.equal(created.status, 201);
  t.match(created.body, {
    id: 'acme',
    name: 'Acme',
    state: 'open',
    createdAt: '2026-05-22T10:00:00.000Z',
    seats: 3,
    seatsUsed: 0,
    cycle: MONTH,
    thresholds: [50, 80, 90, 100],
  });
  const read = await send('GET', '/orgs/acme');
  t.same(read.body, created.body);
  t.equal(read.headers.get('etag'), created.headers.get('etag'));
  const changed = await send('PUT', '/orgs/acme', { cycle: MONTH });
  t.equal(changed.status, 200);
  t.match(changed.body, { name: 'acme', seats: null });
  t.not(changed.headers.get('etag'), created.headers.get('etag'));
  t.match((await send('GET', '/orgs')).body.items, [{ id: 'acme', name: 'acme' }]);
});

t.test('search, by id and by name', async (t) => {
  const { send } = await startAdmin(t);
  for (const [id, name] of [
    ['acme', 'Acme Cartography'],
    ['globex', 'Globex'],
    ['carto', 'Third'],
  ])
    await send('PUT', `/orgs/${id}`, { name, cycle: MONTH });
  const ids = async (query: string) =>
    (await send('GET', `/orgs?${query}`)).body.items.map((one: { id: string }) => one.id);
  t.same(await ids('q=CARTO'), ['acme', 'carto']);
  t.same(await ids('q=glob'), ['globex']);
  t.same(await ids('q=third&pageSize=1'), ['carto']);
  t.same(await ids('q=nobody'), []);
  t.same(await ids('q='), ['acme', 'carto', 'globex']);
});

t.test('definitions that cannot be', async (t) => {
  const { send } = await startAdmin(t);
  const put = async (body: unknown, id = 'acme') => problem(await send('PUT', `/orgs/${id}`, body));
  t.same(await put({}), [422, 'input-invalid', 'cycle']);
  t.same(await put({ cycle: { ...MONTH, every: 'decade' } }), [422, 'input-invalid', 'cycle/every']);
  t.same(await put({ cycle: { ...MONTH, anchor: 32 } }), [422, 'input-invalid', 'cycle/anchor']);
  t.same(await put({ cycle: { ...MONTH, timeZone: 'Mars/Base' } }), [422, 'input-invalid', 'cycle/timeZone']);
  t.same(await put({ cycle: MONTH, seats: 0 }), [422, 'input-invalid', 'seats']);
  t.same(await put({ cycle: MONTH }, 'a%20b'), [422, 'input-invalid', 'org']);
  t.same((await send('GET', '/orgs')).body.items, []);
});

t.test('If-Match: only on the state that was read', async (t) => {
  const { send } = await startAdmin(t);
  const any = { 'if-match': '*' };
  t.same(problem(await send('PUT', '/orgs/acme', { cycle: MONTH }, any)), [412, 'version-stale']);
  const { headers } = await send('PUT', '/orgs/acme', { cycle: MONTH });
  const first = { 'if-match': headers.get('etag') ?? '' };
  t.equal((await send('PUT', '/orgs/acme', { cycle: MONTH, seats: 2 }, first)).status, 200);
  t.same(problem(await send('PUT', '/orgs/acme', { cycle: MONTH, seats: 9 }, first)), [412, 'version-stale']);
  t.same(problem(await send('DELETE', '/orgs/acme', undefined, first)), [412, 'version-stale']);
  t.equal((await send('GET', '/orgs/acme')).body.seats, 2);
  t.equal((await send('PUT', '/orgs/acme', { cycle: MONTH, seats: 4 }, any)).status, 200);
});

t.test('seats cannot fall below the active users', async (t) => {
  const { send } = await startAcme(t);
  const put = (seats: number) => send('PUT', '/orgs/acme', { cycle: MONTH, seats });
  t.same(problem(await put(1)), [409, 'seats-taken']);
  t.equal((await put(2)).status, 200);
});

t.test('a new cycle rule takes over at its next boundary, without a reset before', async (t) => {
  const { send, clock, reserve, ledger } = await startAcme(t);
  t.match(await reserve('acme', 'ann', { ai: 70 }), { status: 'admitted' });
  const day = { every: 'day', anchor: 0, timeZone: 'Europe/Madrid' };
  t.equal((await send('PUT', '/orgs/acme', { cycle: day })).status, 200);
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['ruleVersion'] }]);
  t.same(values, [['2']], 'bounds by the old rule are snapshot apart');
  const before = (await send('GET', '/orgs/acme/overview')).body;
  t.match(before.cycle, { start: '2026-05-19T22:00:00.000Z', end: '2026-05-22T22:00:00.000Z', every: 'day' });
  t.match(
    before.quotas.find((one: { quota: string }) => one.quota === 'ai'),
    { consumed: 70 },
  );
  clock.now = Date.parse('2026-05-22T22:00:00Z');
  const after = (await send('GET', '/orgs/acme/overview')).body;
  t.match(after.cycle, { start: '2026-05-22T22:00:00.000Z', end: '2026-05-23T22:00:00.000Z' });
  t.match(
    after.quotas.find((one: { quota: string }) => one.quota === 'ai'),
    { consumed: 0 },
  );
});

t.test('archived orgs can be looked at, not changed, and their ids are not used again', async (t) => {
  const { send, reserve } = await startAcme(t);
  t.equal((await send('DELETE', '/orgs/acme?reason=closed')).status, 204);
  t.equal((await send('DELETE', '/orgs/acme')).status, 204, 'again: nothing more happens');
  t.match((await send('GET', '/orgs/acme')).body, { state: 'archived' });
  t.match((await send('GET', '/orgs')).body.items, [{ id: 'acme', state: 'archived' }]);
  const writes: [string, string, unknown?][] = [
    ['PUT', '', { cycle: MONTH }],
    ['POST', '/users', { id: 'eve' }],
    ['DELETE', '/groups/eng'],
    ['PUT', '/plans/ai', { allowance: 1 }],
    ['POST', '/limits', { user: 'ann', quota: 'ai', units: 1 }],
  ];
  for (const [method, path, body] of writes)
    t.same(problem(await send(method, `/orgs/acme${path}`, body)), [403, 'org-archived'], path);
  t.match(await reserve('acme', 'ann', { ai: 1 }), { status: 'denied', reason: 'org-archived' });
  const audit = (await send('GET', '/orgs/acme/audit')).body.items;
  t.match(audit[0], { action: 'org.archive', who: 'bootstrap', reason: 'closed' });
});

t.test('the overview shows plan, extra, seats, cycle and window', async (t) => {
  const { send, reserve, clock } = await startAcme(t);
  await reserve('acme', 'ann', { usage: 12_340, ai: 2_000_100 });
  await reserve('acme', 'bob', { ai: 50 }, 'h1');
  const { body } = await send('GET', '/orgs/acme/overview');
  t.match(body, {
    id: 'acme',
    cycle: {
      ...MONTH,
      from: '2026-05-20',
      to: '2026-06-19',
      start: '2026-05-19T22:00:00.000Z',
      end: '2026-06-19T22:00:00.000Z',
    },
    window: { from: '2026-05-20', to: '2026-05-22', end: new Date(NOON).toISOString() },
    seats: { used: 2, total: 3 },
  });
  t.type(body.snapshotAgeMs, 'number');
  const [usage, ai] = body.quotas;
  t.match(usage, {
    quota: 'usage',
    unit: 'units',
    mode: 'hard',
    allowance: 5_000,
    allowanceLeft: 3_766,
    extra: 0,
    pool: 5_000,
    consumed: 1_234,
    held: 0,
    remaining: 3_766,
    percentUsed: 24.68,
    refillsAt: '2026-06-19T22:00:00.000Z',
    caps: { state: 'none', activeUsers: 2, cappedUsers: 0, percentSum: 0, unconsumable: null },
  });
  t.match(ai, { extra: 500, extraUsed: 100, extraLeft: 400, held: 50, remaining: 350, overshoot: 0 });
  clock.now = Date.parse('2026-06-20T12:00:00Z');
  const [, next] = (await send('GET', '/orgs/acme/overview')).body.quotas;
  t.match(
    next,
    { consumed: 0, extra: 400, held: 50, remaining: 2_000_350 },
    'what is held of the extra stays held',
  );
});

t.test('an org that was idle for several cycles is shown in the present one', async (t) => {
  const { send, clock, reserve } = await startAcme(t);
  await reserve('acme', 'ann', { ai: 5 });
  clock.now = Date.parse('2027-01-31T12:00:00Z');
  const { body } = await send('GET', '/orgs/acme/overview');
  t.match(body.cycle, { from: '2027-01-20', to: '2027-02-19' });
  t.equal(body.quotas[1].consumed, 0);
});

onBothLedgers('the overview shows targets of the export that fail or lag', async (t, replicas) => {
  const { ledger, one: without, setClock } = replicas;
  const send = await startReplica(t, ledger, { exportTargets: ['bills', 'files'] });
  const exportsIn = async (of = send) => (await of('GET', '/orgs/acme/overview')).body.exports;
  t.same(await exportsIn(), [], 'the org has nothing to export yet');
  const note = (target: string, was: string | null, error = '', last = '') => {
    const next = encodeExport({ last, lost: error === '' ? 0 : 7, at: NOON, error });
    return ledger.stepExport('acme', { target, was, next }).then(() => next);
  };
  const bills = await note('bills', null, 'answered 503');
  const files = await note('files', null);
  await note('unconfigured', null, 'answered 500');
  const fine = { state: 'ok', lagSeconds: 0, error: null, lastAttemptAt: '2026-05-22T10:00:00.000Z' };
  const both = [
    { ...fine, target: 'bills', lost: 7 },
    { ...fine, target: 'files', lost: 0 },
  ] as const;
  t.same(await exportsIn(), both, 'neither lacks anything');
  t.same(await exportsIn(without), [], 'another process has no targets');
  const cost = charges('maps', [{ quota: 'usage', units: 1, kind: 'fixed' }]);
  await applyNow(ledger, 'acme', [
    { kind: 'reserve', user: 'ann', claims: '', charges: cost, hold: '', ttlMs: 60_000 },
  ]);
  const [entry] = await ledger.log('acme', 'journal', '', 1);
  const appended = appendedAt(entry?.id ?? '');
  await setClock(appended + 300_000);
  const failing = { ...both[0], state: 'failing', error: 'answered 503', lagSeconds: 300 };
  t.same(await exportsIn(), [failing, { ...both[1], lagSeconds: 300 }]);
  await setClock(appended + 301_000);
  t.match(await exportsIn(), [{ state: 'failing' }, { state: 'lagging', lagSeconds: 301 }]);
  await note('bills', bills, '', entry?.id);
  await note('files', files, '', entry?.id);
  t.match(await exportsIn(), [
    { state: 'ok', lagSeconds: 0 },
    { state: 'ok', lagSeconds: 0 },
  ]);
});
