// A limit that is set, changed or deleted applies to the next request; an invalid limit is refused.

import { setTimeout as turn } from 'node:timers/promises';
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { ACME, type Json, NOON, NOTICES, problem, QUOTAS, startAcme, startAdmin } from './support.js';

t.test('set, read, change, delete: each holds for the next request', async (t) => {
  const { send, reserve } = await startAcme(t);
  const created = await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', units: 12.5 });
  t.equal(created.status, 201);
  t.equal(created.headers.get('location'), '/v1/orgs/acme/limits/usage%3Au%3Aann');
  t.match(created.body, {
    id: 'usage:u:ann',
    quota: 'usage',
    subject: { scope: 'user', id: 'ann', name: 'Ann Smith', role: 'admin' },
    units: 12.5,
    cap: 12.5,
    consumed: 0,
    held: 0,
    remaining: 12.5,
    percentUsed: 0,
    status: 'ok',
    shadow: false,
    resetsAt: '2026-06-19T22:00:00.000Z',
  });
  const path = '/orgs/acme/limits/usage%3Au%3Aann';
  t.same((await send('GET', path)).body, created.body);
  t.match(await reserve('acme', 'ann', { usage: 126 }), { status: 'refused' });
  t.match(await reserve('acme', 'ann', { usage: 100 }), { status: 'admitted' });
  t.match((await send('GET', path)).body, {
    consumed: 10,
    remaining: 2.5,
    percentUsed: 80,
    status: 'warning',
  });
  const lowered = await send('PATCH', path, { units: 10 });
  t.match(lowered.body, { cap: 10, remaining: 0, status: 'blocked' });
  t.match(await reserve('acme', 'ann', { usage: 1 }), { status: 'refused', reason: 'spent' });
  t.equal((await send('PATCH', path, { units: 10.1 })).status, 200);
  t.match(await reserve('acme', 'ann', { usage: 1 }), { status: 'admitted' });
  t.match((await send('PATCH', path, { shadow: true })).body, {
    shadow: true,
    status: 'warning',
    units: 10.1,
  });
  t.match(await reserve('acme', 'ann', { usage: 50 }), { status: 'admitted' });
  t.match((await send('PATCH', path, { shadow: false })).body, { status: 'blocked', consumed: 15.1 });
  t.equal((await send('DELETE', path)).status, 204);
  t.match(await reserve('acme', 'ann', { usage: 50 }), { status: 'admitted' });
  t.same(problem(await send('GET', path)), [404, 'not-found']);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', units: 15 });
  t.match(
    (await send('GET', path)).body,
    { consumed: 20.1, status: 'blocked' },
    'recreating it resets nothing',
  );
});

t.test('percent, and from one kind to the other', async (t) => {
  const { send } = await startAcme(t);
  const body = { group: 'eng', quota: 'usage', percent: 33.33333 };
  const created = await send('POST', '/orgs/acme/limits', body);
  t.match(created.body, {
    subject: { scope: 'group', id: 'eng', name: 'Engineering' },
    percent: 33.33333,
    offset: 0,
  });
  t.equal(created.body.cap, 1_666.6, 'floor to the smallest unit');
  const path = '/orgs/acme/limits/usage:g:eng';
  const units = (await send('PATCH', path, { units: 7 })).body;
  t.match(units, { units: 7, cap: 7 });
  t.notOk('percent' in units);
  t.match((await send('PATCH', path, { percent: 100 })).body, { percent: 100, cap: 5_000 });
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  const post = async (body: Json) =>
    problem(await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', ...body }));
  for (const zero of [0, -1, -0.1]) {
    t.same(await post({ units: zero }), [422, 'input-invalid', 'units']);
    t.same(await post({ percent: zero }), [422, 'input-invalid', 'percent']);
  }
  t.same(await post({}), [422, 'input-invalid', 'units']);
  t.same(await post({ units: 0.05 }), [422, 'input-invalid', 'units'], 'more decimals than the quota');
  t.same(await post({ units: 1e300 }), [422, 'input-invalid', 'units']);
  t.same(await post({ units: 1, percent: 1 }), [422, 'input-invalid', 'percent']);
  t.same(await post({ percent: 100.1 }), [422, 'input-invalid', 'percent']);
  t.same(await post({ percent: 0.000001 }), [422, 'input-invalid', 'percent']);
  t.same(await post({ percent: 0.00001 }), [422, 'input-invalid', 'percent'], 'nothing of this pool');
  t.same(await post({ quota: 'lds', percent: 5 }), [422, 'input-invalid', 'percent'], 'no plan');
  t.same(await post({ quota: 'shoes', units: 5 }), [422, 'input-invalid', 'quota']);
  t.same(await post({ units: 5, group: 'eng' }), [422, 'input-invalid', 'user'], 'both');
  t.same(await post({ units: 5, user: undefined }), [422, 'input-invalid', 'user'], 'neither');
  t.same(await post({ units: 5, user: 'nobody' }), [422, 'input-invalid', 'user']);
  t.same(await post({ units: 5, user: undefined, group: 'nope' }), [422, 'input-invalid', 'group']);
  for (const [scope, id] of [
    ['user', 'Zoë Q'],
    ['group', 'nope'],
  ] as const) {
    const { body } = await send('POST', '/orgs/acme/limits', { [scope]: id, quota: 'usage', units: 5 });
    t.equal(body.detail, `${scope}: ${scope} ${id} not found`, 'the refusal has the value');
  }
  t.equal((await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'lds', units: 5 })).status, 201);
  t.same(await post({ quota: 'lds', units: 6 }), [409, 'limit-exists']);
  t.same(problem(await send('PATCH', '/orgs/acme/limits/lds:u:ann', { units: 0 })), [
    422,
    'input-invalid',
    'units',
  ]);
  for (const id of ['lds:u:bob', 'lds:o', 'shoes:u:ann', 'nonsense', 'lds:x:ann'])
    for (const method of ['GET', 'DELETE'])
      t.same(problem(await send(method, `/orgs/acme/limits/${id}`)), [404, 'not-found'], `${method} ${id}`);
  t.same(problem(await send('PATCH', '/orgs/acme/limits/lds:u:bob', { units: 1 })), [404, 'not-found']);
  await send('DELETE', '/orgs/acme/users/bob');
  t.same(await post({ user: 'bob', units: 5 }), [422, 'input-invalid', 'user'], 'removed');
});

t.test('If-Match', async (t) => {
  const { send } = await startAcme(t);
  const { headers } = await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 10 });
  const seen = { 'if-match': headers.get('etag') ?? '' };
  const path = '/orgs/acme/limits/ai:u:ann';
  t.equal((await send('PATCH', path, { units: 11 }, seen)).status, 200);
  t.same(problem(await send('PATCH', path, { units: 12 }, seen)), [412, 'version-stale']);
  t.same(problem(await send('DELETE', path, undefined, seen)), [412, 'version-stale']);
  const present = (await send('GET', path)).body;
  t.equal(present.cap, 11);
  t.equal((await send('DELETE', path, undefined, { 'if-match': present.etag })).status, 204);
});

t.test('a dry run reports what would happen, and changes nothing', async (t) => {
  const { send, reserve } = await startAcme(t);
  await reserve('acme', 'ann', { ai: 30 });
  await reserve('acme', 'ann', { ai: 5 }, 'h1');
  const dry = (body: Json) =>
    send('POST', '/orgs/acme/limits?dryRun=true', { user: 'ann', quota: 'ai', ...body });
  t.match(await dry({ units: 35 }), {
    status: 200,
    body: { wouldBlock: true, consumed: 30, held: 5, cap: 35 },
  });
  t.match((await dry({ units: 36 })).body, { wouldBlock: false, cap: 36 });
  t.match((await dry({ units: 1, shadow: true })).body, { wouldBlock: false });
  t.same(problem(await dry({ units: 0 })), [422, 'input-invalid', 'units']);
  t.equal((await send('GET', '/orgs/acme/limits')).body.items.length, 0);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 40 });
  t.same(problem(await dry({ units: 50 })), [409, 'limit-exists']);
  const patch = await send('PATCH', '/orgs/acme/limits/ai:u:ann?dryRun=true', { units: 20 });
  t.match(patch.body, { wouldBlock: true, cap: 20 });
  t.equal((await send('GET', '/orgs/acme/limits/ai:u:ann')).body.cap, 40);
  t.match(await reserve('acme', 'ann', { ai: 5 }), { status: 'admitted' });
});

t.test('lists: filters, order, pages, and what the caps come to', async (t) => {
  const { send, reserve } = await startAcme(t, {
    limits: [
      { user: 'ann', quota: 'usage', percent: 60 },
      { user: 'bob', quota: 'usage', percent: 30 },
      { user: 'ann', quota: 'ai', units: 10 },
      { group: 'eng', quota: 'ai', units: 100 },
    ],
  });
  await reserve('acme', 'ann', { ai: 9 });
  await reserve('acme', 'bob', { ai: 80 });
  const ids = async (query: string): Promise<string[]> => {
    return (await send('GET', `/orgs/acme/limits?${query}`)).body.items.map((one: Json) => one.id);
  };
  t.same(await ids(''), ['ai:g:eng', 'ai:u:ann', 'usage:u:ann', 'usage:u:bob']);
  t.same(await ids('quota=ai&scope=user'), ['ai:u:ann']);
  t.same(await ids('user=ann'), ['ai:u:ann', 'usage:u:ann']);
  t.same(await ids('group=eng'), ['ai:g:eng']);
  t.same(await ids('q=smith'), ['ai:u:ann', 'usage:u:ann']);
  t.same(await ids('status=warning'), ['ai:g:eng', 'ai:u:ann']);
  t.same(await ids('sort=-percentUsed&quota=ai'), ['ai:u:ann', 'ai:g:eng']);
  t.same(await ids('sort=-cap&quota=usage'), ['usage:u:ann', 'usage:u:bob']);
  const first = (await send('GET', '/orgs/acme/limits?pageSize=3')).body;
  const second = (await send('GET', `/orgs/acme/limits?pageSize=3&cursor=${first.cursor}`)).body;
  t.same([first.items.length, second.items.length, second.cursor], [3, 1, null]);
  t.type(first.snapshotAgeMs, 'number');
  t.match(first.caps.usage, {
    state: 'short',
    percentSum: 90,
    activeUsers: 2,
    cappedUsers: 2,
    unconsumable: 500,
  });
  t.match(first.caps.ai, { state: 'none', cappedUsers: 1, unconsumable: null });
  await send('PATCH', '/orgs/acme/limits/usage:u:bob', { percent: 50 });
  const { usage } = (await send('GET', '/orgs/acme/limits')).body.caps;
  t.match(
    usage,
    { state: 'oversubscribed', percentSum: 110, unconsumable: 0 },
    'own writes are seen at once',
  );
  await send('PATCH', '/orgs/acme/limits/usage:u:bob', { shadow: true });
  const shadowed = (await send('GET', '/orgs/acme/limits')).body.caps.usage;
  t.match(shadowed, { state: 'short', percentSum: 60, cappedUsers: 1, unconsumable: null });
});

t.test('a dry run says whom the limit would have blocked in the last cycle', async (t) => {
  const { send, reserve, clock, ledger } = await startAcme(t);
  const dryRun = async (body: Json) =>
    (await send('POST', '/orgs/acme/limits?dryRun=true', { quota: 'usage', ...body })).body;
  await reserve('acme', 'ann', { usage: 300 });
  await reserve('acme', 'bob', { usage: 200 });
  t.equal((await dryRun({ user: 'ann', units: 9 })).lastCycle, null, 'there was no cycle before');
  clock.now = NOON + 34 * 86_400_000;
  const days = { from: '2026-05-20', to: '2026-06-19' };
  for (const folded of [false, true]) {
    if (folded) await foldJournal(ledger, 'acme');
    const ann = { ...days, consumed: 30, usersBlocked: 1 };
    t.match(await dryRun({ user: 'ann', units: 30 }), { wouldBlock: false, lastCycle: ann });
    t.match((await dryRun({ user: 'ann', units: 30.1 })).lastCycle, { ...ann, usersBlocked: 0 });
    t.match((await dryRun({ user: 'ann', units: 1, shadow: true })).lastCycle, { ...ann, usersBlocked: 0 });
    const eng = { ...days, consumed: 50, usersBlocked: 2 };
    t.match((await dryRun({ group: 'eng', percent: 1 })).lastCycle, eng, 'each member of the group');
  }
});

t.test('raising a limit lets it report its thresholds again, lowering does not', async (t) => {
  const { send, reserve, ledger } = await startAcme(t);
  await send('PUT', '/orgs/acme/notifications', NOTICES);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 10 });
  await reserve('acme', 'ann', { ai: 10 });
  const start = Date.parse('2026-05-19T22:00:00Z');
  const marker = async () => {
    const { values } = await ledger.read('acme', [
      { table: `consumed:${start}`, fields: ['!mark:ai:u:ann'] },
    ]);
    return values[0]?.[0];
  };
  t.equal(await marker(), '100:10');
  await send('PATCH', '/orgs/acme/limits/ai:u:ann', { units: 8 });
  t.equal(await marker(), '100:10');
  await send('PATCH', '/orgs/acme/limits/ai:u:ann', { units: 20 });
  t.equal(await marker(), null);
  t.equal((await ledger.log('acme', 'outbox', '', 10)).length, 4);
  await reserve('acme', 'ann', { ai: 10 });
  t.equal((await ledger.log('acme', 'outbox', '', 10)).length, 7);
});

t.test('a decision is made again where another replica was faster', async (t) => {
  let rival = false;
  const { send, ledger } = await startAdmin(t, (memory) => {
    const read: typeof memory.read = async (org, wants) => {
      const found = await memory.read(org, wants);
      if (rival && wants.some(({ table }) => table === 'limits')) {
        rival = false;
        const set = { set: 'limits', field: 'ai:u:ann', value: '7' } as const;
        await memory.commit(org, { version: found.version, changes: [set], audit: '' });
      }
      return found;
    };
    return Object.assign(Object.create(memory), { read });
  });
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  rival = true;
  const late = await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 5 });
  t.same(problem(late), [409, 'limit-exists']);
  t.equal((await send('GET', '/orgs/acme/limits/ai:u:ann')).body.cap, 7);
});

t.test('what is not about the cap is not held against it', async (t) => {
  const { send } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 10 });
  await send('PUT', '/orgs/acme/plans/usage', { allowance: 0 });
  const path = '/orgs/acme/limits/usage:u:ann';
  t.match((await send('PATCH', path, { shadow: true })).body, { shadow: true, cap: 0 });
  t.same(problem(await send('PATCH', path, { percent: 20 })), [422, 'input-invalid', 'percent']);
});

t.test('changes at the same time all happen, each once', async (t) => {
  // A store far enough away that what is read is old by the time it is written.
  const { send, ledger } = await startAdmin(t, (memory) => {
    const commit: typeof memory.commit = async (...change) => {
      await turn(5);
      return memory.commit(...change);
    };
    return Object.assign(Object.create(memory), { commit });
  });
  await createOrg(ledger, { id: 'acme', seed: { ...ACME, seats: 100 }, quotas: QUOTAS });
  const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
  const added = await Promise.all(users.map((id) => send('POST', '/orgs/acme/users', { id })));
  t.same(
    added.map(({ status }) => status),
    users.map(() => 201),
  );
  const body = { user: 'u1', quota: 'ai', units: 5 };
  const limits = await Promise.all(users.map(() => send('POST', '/orgs/acme/limits', body)));
  t.same(limits.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 409)]);
  t.equal((await send('GET', '/orgs/acme')).body.seatsUsed, 22);
});
