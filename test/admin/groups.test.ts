// A group is a named set of members with one limit; deleted and recreated, it starts empty and keeps its counters.
import t from 'tap';
import { type Json, problem, startAcme } from './support.js';

t.test('add, list, rename, delete', async (t) => {
  const { send } = await startAcme(t);
  const added = await send('POST', '/orgs/acme/groups', { id: 'sales', name: 'Sales' });
  t.equal(added.status, 201);
  t.match(added.body, { id: 'sales', name: 'Sales', members: 0 });
  t.equal((await send('POST', '/orgs/acme/groups', { id: 'misc' })).body.name, 'misc');
  const { items } = (await send('GET', '/orgs/acme/groups?sort=-members')).body;
  t.same(
    items.map((one: Json) => [one.id, one.members]),
    [
      ['eng', 2],
      ['ops', 1],
      ['sales', 0],
      ['misc', 0],
    ],
  );
  t.same((await send('GET', '/orgs/acme/groups?q=engin')).body.items.length, 1);
  const seen = { 'if-match': added.headers.get('etag') ?? '' };
  t.match((await send('PATCH', '/orgs/acme/groups/sales', { name: 'Selling' }, seen)).body, {
    name: 'Selling',
  });
  t.same(problem(await send('PATCH', '/orgs/acme/groups/sales', { name: 'X' }, seen)), [
    412,
    'version-stale',
  ]);
  t.same(problem(await send('DELETE', '/orgs/acme/groups/sales', undefined, seen)), [412, 'version-stale']);
  t.equal((await send('DELETE', '/orgs/acme/groups/sales')).status, 204);
  t.same(problem(await send('GET', '/orgs/acme/groups/sales')), [404, 'not-found']);
  t.same(problem(await send('DELETE', '/orgs/acme/groups/sales')), [404, 'not-found']);
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'eng' })), [409, 'already-exists']);
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'a b' })), [422, 'input-invalid', 'id']);
  t.same(problem(await send('PATCH', '/orgs/acme/groups/nope', { name: 'x' })), [404, 'not-found']);
  t.same(problem(await send('PATCH', '/orgs/acme/groups/eng', {})), [422, 'input-invalid', 'name']);
  t.same(problem(await send('PUT', '/orgs/acme/groups/nope/members/ann')), [404, 'not-found']);
  t.same(problem(await send('PUT', '/orgs/acme/groups/eng/members/nope')), [404, 'not-found']);
});

t.test('the number of members follows every change of users and memberships', async (t) => {
  const { send } = await startAcme(t, { seats: 10 });
  const counts = async (): Promise<number[]> => {
    const groups = await Promise.all(['eng', 'ops'].map((id) => send('GET', `/orgs/acme/groups/${id}`)));
    return groups.map(({ body }) => body.members);
  };
  t.same(await counts(), [2, 1], 'of the config');
  await send('POST', '/orgs/acme/users', { id: 'eve', groups: ['eng', 'ops'], status: 'invited' });
  t.same(await counts(), [3, 2], 'a new user, invited');
  await send('PATCH', '/orgs/acme/users/eve', { status: 'inactive' });
  t.same(await counts(), [3, 2], 'inactive');
  await send('PATCH', '/orgs/acme/users/eve', { groups: ['ops'] });
  t.same(await counts(), [2, 2], 'left one');
  await send('DELETE', '/orgs/acme/users/eve');
  t.same(await counts(), [2, 1], 'removed');
  await send('PATCH', '/orgs/acme/users/eve', { status: 'active' });
  t.same(await counts(), [2, 2], 'back');
  await send('DELETE', '/orgs/acme/groups/ops/members/eve');
  t.same(await counts(), [2, 1], 'left the other');
  t.equal((await send('PATCH', '/orgs/acme/groups/eng', { name: 'E' })).body.members, 2);
});

t.test('membership counts from the next request on', async (t) => {
  const { send, reserve } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { group: 'ops', quota: 'ai', units: 10 });
  t.match(await reserve('acme', 'ann', { ai: 11 }), { status: 'admitted' });
  t.equal((await send('PUT', '/orgs/acme/groups/ops/members/ann')).status, 204);
  t.equal((await send('PUT', '/orgs/acme/groups/ops/members/ann')).status, 204, 'again');
  t.same((await send('GET', '/orgs/acme/users/ann')).body.groups, ['eng', 'ops']);
  t.match(await reserve('acme', 'ann', { ai: 11 }), { status: 'refused', violated: [{ group: 'ops' }] });
  t.match(await reserve('acme', 'bob', { ai: 4 }), { status: 'admitted' });
  const { ai } = (await send('GET', '/orgs/acme/groups/ops')).body.quotas;
  t.match(ai, {
    limit: 'ai:g:ops',
    units: 10,
    cap: 10,
    consumed: 4,
    remaining: 6,
    percentUsed: 40,
    status: 'ok',
  });
  t.equal((await send('DELETE', '/orgs/acme/groups/ops/members/ann')).status, 204);
  t.match(await reserve('acme', 'ann', { ai: 11 }), { status: 'admitted' });
  t.equal((await send('GET', '/orgs/acme/groups/ops')).body.quotas.ai.consumed, 4);
});

t.test(
  'a deleted group has no caps; created again under its old id, it has no members but keeps its counters',
  async (t) => {
    const { send, reserve } = await startAcme(t);
    await send('POST', '/orgs/acme/limits', { group: 'ops', quota: 'ai', units: 10 });
    await reserve('acme', 'bob', { ai: 10 });
    t.match(await reserve('acme', 'bob', { ai: 1 }), { status: 'refused' });
    await send('DELETE', '/orgs/acme/groups/ops');
    t.match(await reserve('acme', 'bob', { ai: 1 }), { status: 'admitted' });
    t.same((await send('GET', '/orgs/acme/users/bob')).body.groups, ['eng']);
    t.equal((await send('GET', '/orgs/acme/limits')).body.items.length, 0, 'its limits went with it');
    await send('POST', '/orgs/acme/groups', { id: 'ops' });
    t.match((await send('GET', '/orgs/acme/groups/ops')).body, {
      members: 0,
      quotas: { ai: { consumed: 10 } },
    });
    t.same((await send('GET', '/orgs/acme/users/bob')).body.groups, ['eng']);
    const again = await send('PATCH', '/orgs/acme/users/bob', { groups: ['eng', 'ops'] });
    t.same(again.body.groups, ['eng', 'ops'], 'joining it anew is a change');
  },
);

t.test('no user is put into more groups than can be checked', async (t) => {
  const groups = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`g${index}`, {}]));
  const ids = Object.keys(groups);
  const { send } = await startAcme(t, { groups, users: { ann: { groups: ids.slice(0, 64) } } });
  const join = await send('PUT', '/orgs/acme/groups/g64/members/ann');
  t.same(problem(join), [422, 'input-invalid', 'group']);
  t.same(problem(await send('PATCH', '/orgs/acme/users/ann', { groups: ids })), [
    422,
    'input-invalid',
    'groups',
  ]);
  t.equal((await send('PUT', '/orgs/acme/groups/g63/members/ann')).status, 204, 'is in it already');
});

t.test('memberships of deleted groups do not count towards the bound', async (t) => {
  const { send } = await startAcme(t);
  for (let number = 0; number < 64; number += 1) {
    await send('POST', '/orgs/acme/groups', { id: `g${number}` });
    t.equal((await send('PUT', `/orgs/acme/groups/g${number}/members/ann`)).status, 204, `g${number}`);
    if (number === 0) t.equal((await send('DELETE', '/orgs/acme/groups/g0')).status, 204);
  }
});
