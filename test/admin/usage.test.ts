// Consumed and held units are shown live; an admin can release a hold once; every change is in the audit log.
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { ACME, type Json, problem, QUOTAS, startAcme, startAdmin } from './support.js';

t.test('usage now, by quota, user and group', async (t) => {
  const { send, reserve } = await startAcme(t);
  await reserve('acme', 'ann', { usage: 15, ai: 100 });
  await reserve('acme', 'bob', { ai: 40 }, 'h1');
  const { body } = await send('GET', '/orgs/acme/usage?sort=-consumed');
  t.same(body.org, [
    { quota: 'usage', consumed: 1.5, held: 0, pool: 5_000, remaining: 4_998.5 },
    { quota: 'ai', consumed: 100, held: 40, pool: 2_000_500, remaining: 2_000_360 },
  ]);
  t.match(body.cycle, { start: '2026-05-19T22:00:00.000Z' });
  const rows = (items: Json[]) =>
    items.map(({ quota, scope, id, consumed, held }) => [quota, scope, id, consumed, held]);
  t.same(rows(body.items.filter((one: Json) => one.quota === 'ai')), [
    ['ai', 'user', 'ann', 100, 0],
    ['ai', 'group', 'eng', 100, 40],
    ['ai', 'user', 'bob', 0, 40],
    ['ai', 'group', 'ops', 0, 40],
  ]);
  t.same(rows((await send('GET', '/orgs/acme/usage?quota=ai&scope=user&sort=-held')).body.items), [
    ['ai', 'user', 'bob', 0, 40],
    ['ai', 'user', 'ann', 100, 0],
  ]);
  t.same(rows((await send('GET', '/orgs/acme/usage?q=an&quota=usage')).body.items), [
    ['usage', 'user', 'ann', 1.5, 0],
  ]);
});

t.test('holds: listed while open, released once, audited', async (t) => {
  const { send, reserve, apply } = await startAcme(t);
  await reserve('acme', 'bob', { ai: 40 }, 'h1');
  await reserve('acme', 'ann', { ai: 7, usage: 25 }, 'h2');
  const { items } = (await send('GET', '/orgs/acme/holds')).body;
  t.match(items, [
    {
      id: 'h1',
      user: 'bob',
      groups: ['eng', 'ops'],
      action: 'test',
      charges: [{ quota: 'ai', kind: 'held', units: 40, charged: 0 }],
      admittedAt: '2026-05-22T10:00:00.000Z',
      expiresAt: '2026-05-22T10:01:00.000Z',
      cycleStart: '2026-05-19T22:00:00.000Z',
    },
    { id: 'h2', charges: [{ quota: 'ai' }, { quota: 'usage', units: 2.5 }] },
  ]);
  t.same((await send('GET', '/orgs/acme/holds?user=ann')).body.items.length, 1);
  t.equal((await send('DELETE', '/orgs/acme/holds/h1?reason=stuck')).status, 204);
  t.same((await send('GET', '/orgs/acme/holds')).body.items.length, 1);
  t.equal((await send('GET', '/orgs/acme/usage')).body.org[1].held, 7);
  t.same(problem(await send('DELETE', '/orgs/acme/holds/h1')), [404, 'not-found']);
  t.same(problem(await send('DELETE', '/orgs/acme/holds/h9')), [404, 'not-found']);
  t.match((await reserve('acme', 'eve', { ai: 1 }, 'h9')).status, 'admitted', 'a wrong id voids nothing');
  t.match((await send('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'hold.release',
    subject: 'hold:h1',
    from: { user: 'bob', action: 'test', charges: [{ quota: 'ai', units: 40 }] },
    reason: 'stuck',
  });
  const settle = { kind: 'settle', hold: 'h1', units: [12], estimated: false } as const;
  t.match((await apply('acme', [settle])).results, [{ status: 'settled', late: true }]);
  t.equal((await send('GET', '/orgs/acme/usage')).body.org[1].consumed, 12, 'the late settlement is charged');
});

t.test('a hold of a closed cycle can still be released', async (t) => {
  const { send, reserve, clock, ledger } = await startAcme(t);
  clock.now = Date.parse('2026-06-19T21:59:50Z');
  await reserve('acme', 'bob', { ai: 40 }, 'h1');
  clock.now += 20_000;
  t.equal((await send('DELETE', '/orgs/acme/holds/h1')).status, 204);
  const before = Date.parse('2026-05-19T22:00:00Z');
  const { values } = await ledger.read('acme', [{ table: `held:${before}`, fields: ['ai:o', 'ai:u:bob'] }]);
  t.same(values, [[null, null]]);
});

t.test('the audit log: who, when, what, newest first and in pages', async (t) => {
  const { send, clock } = await startAcme(t);
  for (const id of ['g1', 'g2', 'g3']) {
    clock.now += 1_000;
    await send('POST', '/orgs/acme/groups', { id, reason: `for ${id}` });
  }
  const read = async (query: string) => (await send('GET', `/orgs/acme/audit?${query}`)).body;
  const snapshot = ({ items }: Json) => items.map((one: Json) => [one.subject, one.at]);
  const [g1, g2, g3] = [1, 2, 3].map((number) => [`group:g${number}`, `2026-05-22T10:00:0${number}.000Z`]);
  const first = await read('pageSize=2');
  t.same(snapshot(first), [g3, g2]);
  t.match(first.items[1], {
    who: 'bootstrap',
    action: 'group.add',
    to: { name: 'g2' },
    from: null,
    reason: 'for g2',
  });
  const second = await read(`pageSize=2&cursor=${first.cursor}`);
  t.same(snapshot(second), [g1, ['org', '2026-05-22T10:00:00.000Z']]);
  t.match(second.items[1], { who: 'config', action: 'org.create' });
  t.equal(second.cursor, null);

  const oldest = await read('order=oldest&pageSize=3');
  t.same(snapshot(oldest), [...snapshot(second).reverse(), g2]);
  const rest = await read(`order=oldest&cursor=${oldest.cursor}`);
  t.same(snapshot(rest), [g3]);
  const end = await read(`order=oldest&cursor=${rest.cursor}`);
  t.same(end, { items: [], cursor: rest.cursor }, 'from where to go on later');
  for (const cursor of ['-', '1', '1-', 'x-1', '1-2-3', '9999999999999999-0'])
    t.equal((await send('GET', `/orgs/acme/audit?cursor=${cursor}`)).status, 422, cursor);
});

t.test('lists are copies at most two seconds old, and say their age', async (t) => {
  let scans = 0;
  const { send, ledger } = await startAdmin(t, (memory) => {
    const scan: typeof memory.scan = (...page) => {
      scans += 1;
      return memory.scan(...page);
    };
    return Object.assign(Object.create(memory), { scan });
  });
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const list = async () => (await send('GET', '/orgs/acme/users')).body;
  await list();
  const once = scans;
  t.ok((await list()).snapshotAgeMs >= 0);
  t.equal(scans, once, 'the second list is of the same copy');
  await send('PATCH', '/orgs/acme/users/ann', { name: 'Anna' });
  t.equal((await list()).items[0].name, 'Anna', 'own writes are seen');
  t.ok(scans > once);
  const after = scans;
  const began = Date.now();
  while (scans === after && Date.now() - began < 5_000) {
    const { snapshotAgeMs } = await list();
    if (snapshotAgeMs > 2_100) t.fail(`a copy of ${snapshotAgeMs} ms`);
  }
  t.ok(scans > after, 'an old copy is replaced');
});
