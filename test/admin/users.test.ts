// Users take a seat by becoming active and free it again; the directory applies to their next request.
import t from 'tap';
import { type Json, problem, startAcme } from './support.js';

t.test('add, read, change, remove', async (t) => {
  const { send } = await startAcme(t, { seats: 5 });
  const id = 'zoë ✈ ops/1%';
  const path = `/orgs/acme/users/${encodeURIComponent(id)}`;
  const body = { id, name: 'Zoë', email: 'zoe@example.com', role: 'viewer', groups: ['ops'] };
  const added = await send('POST', '/orgs/acme/users', body);
  t.equal(added.status, 201);
  t.equal(added.headers.get('location'), `/v1${path}`);
  t.match(added.body, { ...body, status: 'active', createdAt: '2026-05-22T10:00:00.000Z' });
  t.same((await send('GET', path)).body, { ...added.body, lastActiveAt: null });
  const changed = await send('PATCH', path, { role: 'admin', groups: ['eng'] });
  t.match(changed.body, { id, name: 'Zoë', role: 'admin', groups: ['eng'], status: 'active' });
  t.equal((await send('DELETE', `${path}?reason=left`)).status, 204);
  t.equal((await send('DELETE', path)).status, 204);
  t.match((await send('GET', path)).body, { status: 'removed', groups: ['eng'] });
  const { items } = (await send('GET', '/orgs/acme/audit?order=oldest')).body;
  t.same(
    items.slice(1).map((one: Json) => [one.action, one.subject, one.reason]),
    [
      ['user.add', `user:${id}`, ''],
      ['user.change', `user:${id}`, ''],
      ['user.change', `user:${id}`, 'left'],
    ],
    'the second removal was none',
  );
  t.match(items.at(-1), { from: { status: 'active' }, to: { status: 'removed' } });
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  const post = async (body: unknown) => problem(await send('POST', '/orgs/acme/users', body));
  t.same(await post({ id: 'ann' }), [409, 'already-exists']);
  t.same(await post({ id: '' }), [422, 'input-invalid', 'id']);
  t.same(await post({ id: 'é'.repeat(129) }), [422, 'input-invalid', 'id'], '258 bytes');
  t.same(await post({ id: 'x', groups: ['nope'] }), [422, 'input-invalid', 'groups']);
  t.same(await post({ id: 'x', email: 'nobody' }), [422, 'input-invalid', 'email']);
  t.same(problem(await send('GET', '/orgs/acme/users/eve')), [404, 'not-found']);
  t.same(problem(await send('PATCH', '/orgs/acme/users/eve', { name: 'x' })), [404, 'not-found']);
  t.same(problem(await send('DELETE', '/orgs/acme/users/eve')), [404, 'not-found']);
  t.same(problem(await send('PATCH', '/orgs/acme/users/ann', { id: 'x' })), [422, 'input-invalid', 'id']);
});

t.test('the longest id that there may be', async (t) => {
  const { send } = await startAcme(t);
  const id = 'é'.repeat(128);
  t.equal((await send('POST', '/orgs/acme/users', { id, status: 'invited' })).status, 201);
  t.equal((await send('GET', `/orgs/acme/users/${encodeURIComponent(id)}`)).body.id, id);
});

t.test('seats: active users only, and no more than there are', async (t) => {
  const { send, reserve } = await startAcme(t);
  const used = async () => (await send('GET', '/orgs/acme')).body.seatsUsed;
  const post = (id: string, status: string) => send('POST', '/orgs/acme/users', { id, status });
  const patch = (id: string, status: string) => send('PATCH', `/orgs/acme/users/${id}`, { status });
  t.equal(await used(), 2);
  t.equal((await post('cat', 'invited')).status, 201);
  t.equal((await post('dan', 'active')).status, 201);
  t.equal(await used(), 3);
  t.same(problem(await post('eve', 'active')), [409, 'seats-taken']);
  t.same(problem(await patch('cat', 'active')), [409, 'seats-taken']);
  t.match(await reserve('acme', 'cat', { ai: 1 }), { status: 'denied', reason: 'no-seat' });
  t.equal((await patch('dan', 'active')).status, 200, 'active already');
  t.equal((await patch('ann', 'inactive')).status, 200);
  t.equal(await used(), 2);
  t.match(await reserve('acme', 'ann', { ai: 1 }), { status: 'denied', reason: 'inactive-user' });
  t.match(await reserve('acme', 'cat', { ai: 1 }), { status: 'admitted' }, 'becomes active at first sight');
  t.equal(await used(), 3);
  t.equal((await send('DELETE', '/orgs/acme/users/bob')).status, 204);
  t.equal((await send('DELETE', '/orgs/acme/users/bob')).status, 204);
  t.equal(await used(), 2, 'a seat is given back once');
  t.equal((await patch('bob', 'active')).status, 200);
  t.equal(await used(), 3);
});

t.test('If-Match', async (t) => {
  const { send } = await startAcme(t);
  const path = '/orgs/acme/users/ann';
  const etag = (await send('GET', path)).headers.get('etag') ?? '';
  await send('POST', '/orgs/acme/groups', { id: 'other' });
  const patched = await send('PATCH', path, { name: 'Anna' }, { 'if-match': `"x", ${etag}` });
  t.equal(patched.status, 200, 'a change elsewhere does not make it stale');
  t.same(problem(await send('PATCH', path, { name: 'A' }, { 'if-match': etag })), [412, 'version-stale']);
  t.same(problem(await send('DELETE', path, undefined, { 'if-match': etag })), [412, 'version-stale']);
  t.match((await send('GET', path)).body, { name: 'Anna', status: 'active' });
});

t.test('figures: own limit, and what is really left', async (t) => {
  const { send, reserve } = await startAcme(t, {
    limits: [
      { user: 'bob', quota: 'usage', units: 100 },
      { group: 'eng', quota: 'usage', units: 60 },
      { group: 'ops', quota: 'usage', units: 5, shadow: true },
    ],
  });
  await reserve('acme', 'bob', { usage: 200 });
  await reserve('acme', 'ann', { usage: 50 }, 'h1');
  const { usage, lds } = (await send('GET', '/orgs/acme/users/bob')).body.quotas;
  t.same(usage, {
    limit: 'usage:u:bob',
    percent: null,
    cap: 100,
    consumed: 20,
    held: 0,
    left: 80,
    effectiveLeft: 35,
    status: 'ok',
  });
  await send('PUT', '/orgs/acme/plans/usage', { allowance: 30 });
  const { quotas } = (await send('GET', '/orgs/acme/users/bob')).body;
  t.equal(quotas.usage.effectiveLeft, 5, 'the pool has least');
  await send('PUT', '/orgs/acme/plans/usage', { allowance: 5_000 });
  t.match(lds, { limit: null, cap: null, left: null, effectiveLeft: null });
  const { items } = (await send('GET', '/orgs/acme/users')).body;
  t.same(items.find((one: Json) => one.id === 'bob').quotas.usage, usage, 'the list says the same');
  t.match(items.find((one: Json) => one.id === 'ann').quotas.usage, {
    limit: null,
    left: null,
    effectiveLeft: 35,
  });
});

t.test('lists: pages, order, search, filters', async (t) => {
  const { send, reserve } = await startAcme(t, { seats: 50 });
  for (let number = 10; number < 30; number += 1)
    await send('POST', '/orgs/acme/users', {
      id: `u${number}`,
      name: `Name ${40 - number}`,
      status: 'invited',
    });
  await reserve('acme', 'u15', { ai: 7 });
  await reserve('acme', 'visitor', { ai: 9 });
  const ids = async (query: string): Promise<string[]> => {
    const { body } = await send('GET', `/orgs/acme/users?${query}`);
    return body.items.map((one: Json) => one.id);
  };
  const listIds = async (query: string): Promise<string[]> => {
    const all: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await send(
        'GET',
        `/orgs/acme/users?${query}&pageSize=7${cursor && `&cursor=${cursor}`}`,
      );
      all.push(...body.items.map((one: Json) => one.id));
      ({ cursor } = body);
    }
    return all;
  };
  const everyone = await listIds('sort=id');
  t.equal(everyone.length, 23);
  t.same(everyone, [...everyone].sort());
  t.same(await listIds('sort=-id'), [...everyone].reverse());
  t.same((await listIds('sort=name')).slice(-3), ['u12', 'u11', 'u10']);
  t.same((await listIds('sort=status')).length, 23, 'equals are neither lost nor repeated');
  t.same((await ids('sort=-consumed:ai')).slice(0, 2), ['visitor', 'u15']);
  t.same(await ids('q=SMITH'), ['ann']);
  t.same(await ids('q=u2&pageSize=3'), ['u20', 'u21', 'u22']);
  t.same(await ids('group=ops'), ['bob']);
  t.same(await ids('status=active'), ['ann', 'bob', 'u15', 'visitor']);
  await send('DELETE', '/orgs/acme/users/u15');
  t.notOk((await ids('')).includes('u15'), 'removed users are not listed');
  t.same(await ids('status=removed'), ['u15']);
  const { cursor } = (await send('GET', '/orgs/acme/users?pageSize=2')).body;
  const other = await send('GET', `/orgs/acme/users?sort=-id&cursor=${cursor}`);
  t.same(problem(other), [422, 'input-invalid', 'cursor'], 'of another order');
});
