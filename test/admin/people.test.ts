// Users, seats and groups: what lists show, who is invited, and whom a write would block.
import t from 'tap';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { ACME, type Bench, type Json, NOON, problem, QUOTAS, startAcme, TOKEN } from './support.js';

async function auditCount({ ledger }: Bench): Promise<number> {
  return (await ledger.log('acme', 'audit', '', 1_000)).length;
}

const idsOf = ({ body }: { body: Json }): string[] => body.items.map(({ id }: { id: string }) => id);

t.test('the list of users shows percent cap, consumed, left and effective left of each quota', async (t) => {
  const { send, reserve } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 20 });
  await send('POST', '/orgs/acme/limits', { group: 'eng', quota: 'usage', units: 300 });
  await reserve('acme', 'ann', { usage: 1_000 });
  await reserve('acme', 'bob', { usage: 500 });
  const { body } = await send('GET', '/orgs/acme/users');
  t.match(body.items[0], {
    id: 'ann',
    name: 'Ann Smith',
    email: 'ann@example.com',
    role: 'admin',
    status: 'active',
    quotas: {
      usage: { percent: 20, cap: 1_000, consumed: 100, left: 900, effectiveLeft: 150, status: 'ok' },
    },
  });
  t.match(body.items[1].quotas.usage, {
    percent: null,
    cap: null,
    consumed: 50,
    left: null,
    effectiveLeft: 150,
  });
  t.match(body.caps.usage, {
    state: 'short',
    percentSum: 20,
    cappedUsers: 1,
    activeUsers: 2,
    unconsumable: null,
  });
  await send('POST', '/orgs/acme/limits', { user: 'bob', quota: 'usage', percent: 30 });
  const { caps } = (await send('GET', '/orgs/acme/users')).body;
  t.match(
    caps.usage,
    { state: 'short', percentSum: 50, unconsumable: 2_500 },
    'half of the pool is for nobody',
  );
});

t.test('users are filtered by status, role and group, searched, and sorted by consumption', async (t) => {
  const { send, reserve } = await startAcme(t, { seats: 10 });
  await send('POST', '/orgs/acme/users', { id: 'eve', name: 'Eve', role: 'admin', status: 'invited' });
  await reserve('acme', 'bob', { usage: 10 });
  const list = async (query: string) => idsOf(await send('GET', `/orgs/acme/users?${query}`));
  t.same(await list('status=invited'), ['eve']);
  t.same(await list('role=admin'), ['ann', 'eve']);
  t.same(await list('role=admin&status=active'), ['ann']);
  t.same(await list('group=ops'), ['bob']);
  t.same(await list('group=nowhere'), []);
  t.same(await list('q=SMITH'), ['ann']);
  t.same(await list('sort=-consumed:usage&pageSize=1'), ['bob']);
});

t.test('a group names its members in pages, beside its combined consumption', async (t) => {
  const { send, reserve } = await startAcme(t);
  await reserve('acme', 'ann', { usage: 10 });
  await reserve('acme', 'bob', { usage: 20 });
  const group = await send('GET', '/orgs/acme/groups/eng');
  t.match(group.body, { members: 2, quotas: { usage: { consumed: 3 } } });
  const first = await send('GET', '/orgs/acme/groups/eng/members?pageSize=1&sort=-consumed:usage');
  t.same(idsOf(first), ['bob']);
  const cursor = encodeURIComponent(first.body.cursor);
  const second = await send(
    'GET',
    `/orgs/acme/groups/eng/members?pageSize=1&sort=-consumed:usage&cursor=${cursor}`,
  );
  t.same(idsOf(second), ['ann']);
  t.equal(second.body.cursor, null);
  t.same(problem(await send('GET', '/orgs/acme/groups/nowhere/members')), [404, 'not-found']);
});

t.test('a dry run names whom a write would block, and changes nothing', async (t) => {
  const bench = await startAcme(t);
  const { send, reserve } = bench;
  await send('PUT', '/orgs/acme/groups/eng/members/ann');
  await reserve('acme', 'bob', { usage: 100 });
  await send('POST', '/orgs/acme/limits', { group: 'ops', quota: 'usage', units: 5 });
  const before = await auditCount(bench);
  const nobody = { wouldBlock: false, usersBlocked: { count: 0, users: [] }, quotas: [] };
  const dry = async (method: string, path: string, body?: unknown) => {
    const { status, body: answer } = await send(method, `/orgs/acme${path}?dryRun=true`, body);
    t.equal(status, 200, `${method} ${path}`);
    return answer;
  };
  const ann = { wouldBlock: true, usersBlocked: { count: 1, users: ['ann'] } };
  t.same(await dry('PUT', '/groups/ops/members/ann'), { ...ann, quotas: ['usage'] }, 'ops has nothing left');
  t.same(await dry('PATCH', '/users/ann', { groups: ['ops'] }), { ...ann, quotas: ['usage'] });
  t.same(await dry('PATCH', '/users/ann', { name: 'Ann' }), nobody);
  t.same(await dry('PATCH', '/users/ann', { status: 'inactive' }), { ...ann, quotas: ['usage', 'ai'] });
  t.same(await dry('DELETE', '/users/ann'), { ...ann, quotas: ['usage', 'ai'] });
  t.same(await dry('PATCH', '/users/bob', { groups: ['ops'] }), nobody, 'bob is blocked already');
  t.same(await dry('DELETE', '/groups/ops/members/bob'), nobody);
  t.same(await dry('DELETE', '/groups/ops'), nobody);
  t.same(await dry('DELETE', '/limits/usage:g:ops'), nobody);
  const limit = await dry('POST', '/limits', { group: 'eng', quota: 'usage', units: 10 });
  t.match(limit, { wouldBlock: true, usersBlocked: { count: 2, users: ['ann', 'bob'] } }, 'every member');
  const own = await dry('POST', '/limits', { user: 'bob', quota: 'usage', units: 10 });
  t.match(own, { wouldBlock: true, usersBlocked: { count: 1, users: ['bob'] } });
  const more = await dry('PATCH', '/limits/usage:g:ops', { units: 100 });
  t.match(more, { wouldBlock: false, usersBlocked: { count: 0, users: [] } });
  t.equal(await auditCount(bench), before);
  t.match((await send('GET', '/orgs/acme/users/ann')).body, { status: 'active', groups: ['eng'] });
  t.same(
    problem(await send('DELETE', '/orgs/acme/users/ann?dryRun=true', undefined, { 'if-match': '"x"' })),
    [412, 'version-stale'],
  );
});

t.test('a dry run counts all members of a group and names the first 100', async (t) => {
  const users = Object.fromEntries(
    Array.from({ length: 150 }, (_, index) => [`u${String(index).padStart(3, '0')}`, { groups: ['eng'] }]),
  );
  const { send, reserve } = await startAcme(t, { seats: 1_000, users });
  await reserve('acme', 'u000', { usage: 10 });
  const path = '/orgs/acme/limits?dryRun=true';
  const { usersBlocked } = (await send('POST', path, { group: 'eng', quota: 'usage', units: 1 })).body;
  t.equal(usersBlocked.count, 150);
  t.same(usersBlocked.users, Object.keys(users).slice(0, 100));
});

t.test('removing a user frees the seat at once, and a return takes one', async (t) => {
  const { send } = await startAcme(t, { seats: 2 });
  t.same(problem(await send('POST', '/orgs/acme/users', { id: 'eve' })), [409, 'seats-taken']);
  t.equal((await send('DELETE', '/orgs/acme/users/bob')).status, 204);
  t.equal((await send('POST', '/orgs/acme/users', { id: 'eve' })).status, 201);
  t.same(problem(await send('PATCH', '/orgs/acme/users/bob', { status: 'active' })), [409, 'seats-taken']);
  await send('PATCH', '/orgs/acme/users/eve', { status: 'inactive' });
  t.match((await send('PATCH', '/orgs/acme/users/bob', { status: 'active' })).body, { status: 'active' });
  t.match((await send('GET', '/orgs/acme/overview')).body.seats, { used: 2, total: 2 });
});

t.test('an invited user takes no seat before the first request', async (t) => {
  const { send, reserve } = await startAcme(t, { seats: 3 });
  const invited = await send('POST', '/orgs/acme/users', { id: 'eve', status: 'invited' });
  t.match(invited.body, { id: 'eve', status: 'invited' });
  t.equal((await send('GET', '/orgs/acme/overview')).body.seats.used, 2);
  await reserve('acme', 'eve', { usage: 1 });
  t.match((await send('GET', '/orgs/acme/users/eve')).body, { status: 'active' });
  t.equal((await send('GET', '/orgs/acme/overview')).body.seats.used, 3);
});

t.test('an invitation by mail is queued in the commit that adds the user', async (t) => {
  const ledger = await openEmbedded({ clock: () => NOON });
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const invitationMail = {
    changesFor: ({ user, email, by }: { user: string; email: string; by: string }) => [
      { set: 'notices' as const, field: `invitation:${user}`, value: `${email} ${by}` },
    ],
  };
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, invitationMail });
  t.teardown(() => app.close());
  const add = (payload: object) =>
    app.inject({
      method: 'POST',
      url: '/v1/orgs/acme/users',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      payload,
    });
  const answer = await add({ id: 'eve', email: 'eve@example.com', mail: true });
  t.match(answer.json(), { id: 'eve', status: 'invited' });
  const { values } = await ledger.read('acme', [{ table: 'notices', fields: ['invitation:eve'] }]);
  t.same(values, [['eve@example.com bootstrap']]);
  t.match((await add({ id: 'max', mail: true })).json(), {
    code: 'input-invalid',
    errors: [{ field: 'email' }],
  });
  const active = await add({ id: 'max', email: 'max@example.com', status: 'active', mail: true });
  t.match(active.json(), { code: 'input-invalid', errors: [{ field: 'status' }] });
});

t.test('without a mail server, an invitation by mail is refused', async (t) => {
  const { send } = await startAcme(t);
  const refused = await send('POST', '/orgs/acme/users', { id: 'eve', email: 'eve@example.com', mail: true });
  t.same(problem(refused), [422, 'input-invalid', 'mail']);
  t.equal((await send('GET', '/orgs/acme/users/eve')).status, 404);
});

t.test('an org without limits has an empty list of them', async (t) => {
  const { send } = await startAcme(t);
  const { status, body } = await send('GET', '/orgs/acme/limits?quota=usage');
  t.equal(status, 200);
  t.match(body, {
    items: [],
    cursor: null,
    caps: { usage: { state: 'none', cappedUsers: 0, unconsumable: null } },
  });
});
