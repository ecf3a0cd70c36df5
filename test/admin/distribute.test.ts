// Distribute evenly: the caps of the active users sum to exactly 100 %, and to the pool to the unit.
import fc from 'fast-check';
import t from 'tap';
import { usersThatFit } from '../../src/admin/limits/distribute.js';
import { distribute, shareOf } from '../../src/quota/limit.js';
import { type Json, problem, startAcme } from './support.js';

const people = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`u${index}`, {}]));

t.test('for several pools and numbers of users', async (t) => {
  for (const [count, allowance] of [
    [1, 1],
    [2, 5_000],
    [3, 100],
    [7, 5_000.1],
    [7, 7.7],
    [64, 999_999.9],
  ] as const) {
    const { send } = await startAcme(t, {
      seats: 100,
      users: people(count),
      plans: { usage: { allowance, extra: 0 } },
      limits: [{ user: 'u0', quota: 'usage', units: 0.1 }],
    });
    const done = await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage' });
    t.match(done, {
      status: 200,
      body: { users: count, percentSum: 100, pool: allowance, capsSum: allowance },
    });
    const { items, caps } = (await send('GET', '/orgs/acme/limits?pageSize=200')).body;
    const sum = (pick: (one: Json) => number, scale: number) =>
      items.reduce((total: number, one: Json) => total + Math.round(pick(one) * scale), 0);
    t.equal(items.length, count, 'what was there gave way');
    t.equal(
      sum((one) => one.percent, 100_000),
      10_000_000,
      `${count} users: exactly 100 %`,
    );
    t.equal(
      sum((one) => one.cap, 10),
      Math.round(allowance * 10),
      `${count} users: the pool to the unit`,
    );
    t.match(caps.usage, { state: 'exact', percentSum: 100, unconsumable: 0 });
    await send('POST', '/orgs/acme/plans/usage/extra', { units: 3.3, reason: 'more' });
    const after = (await send('GET', '/orgs/acme/limits')).body.caps.usage;
    t.match(after, { state: 'exact', unconsumable: 0, unitsSum: Math.round(allowance * 10 + 33) / 10 });
  }
});

t.test('the caps hold for the next request', async (t) => {
  const { send, reserve } = await startAcme(t, { plans: { usage: { allowance: 1 } } });
  await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage' });
  t.match(await reserve('acme', 'ann', { usage: 5 }), { status: 'admitted' });
  t.match(await reserve('acme', 'ann', { usage: 1 }), {
    status: 'refused',
    violated: [{ scope: 'user', limit: 5 }],
  });
});

t.test('only active users get a share, and all other caps of users are removed', async (t) => {
  const { send } = await startAcme(t, {
    limits: [
      { user: 'invitee', quota: 'usage', percent: 50 },
      { user: 'ann', quota: 'ai', units: 5 },
      { group: 'eng', quota: 'usage', units: 5 },
    ],
  });
  await send('PATCH', '/orgs/acme/users/bob', { status: 'inactive' });
  t.equal(
    (await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage', reason: 'new year' })).body.users,
    1,
  );
  const { items } = (await send('GET', '/orgs/acme/limits')).body;
  t.same(
    items.map((one: Json) => one.id),
    ['ai:u:ann', 'usage:g:eng', 'usage:u:ann'],
  );
  t.match((await send('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'limit.distribute',
    subject: 'plan:usage',
    to: { users: 1, percentSum: 100 },
    reason: 'new year',
  });
});

t.test('caps that grew reports their thresholds again', async (t) => {
  const { send, reserve, ledger } = await startAcme(t, {
    plans: { usage: { allowance: 10 } },
    limits: [
      { user: 'ann', quota: 'usage', units: 1 },
      { user: 'bob', quota: 'usage', units: 6 },
    ],
  });
  await reserve('acme', 'ann', { usage: 10 });
  await reserve('acme', 'bob', { usage: 60 });
  await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage' });
  const fields = ['!mark:usage:u:ann', '!mark:usage:u:bob'];
  const start = Date.parse('2026-05-19T22:00:00Z');
  const { values } = await ledger.read('acme', [{ table: `consumed:${start}`, fields }]);
  t.same(values, [[null, '100:60']]);
});

t.test('shares follow each other in the order of ids, and keep their place', async (t) => {
  const { send } = await startAcme(t, { users: { zed: {}, abe: {}, max: {} } });
  await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage' });
  const places = async () => {
    const { items } = (await send('GET', '/orgs/acme/limits')).body;
    return items.map((one: Json) => [one.subject.id, one.percent, one.offset]);
  };
  const shares = [
    ['abe', 33.33333, 0],
    ['max', 33.33333, 33.33333],
    ['zed', 33.33334, 66.66666],
  ];
  t.same(await places(), shares);
  await send('PATCH', '/orgs/acme/limits/usage:u:max', { percent: 33.33333 });
  t.same(await places(), shares, 'set to what it is');
  await send('PATCH', '/orgs/acme/limits/usage:u:max', { percent: 30 });
  t.same((await places())[1], ['max', 30, 0], 'a cap set by hand has no place');
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t, {
    seats: 10,
    users: people(4),
    plans: { usage: { allowance: 0.3 }, ai: { allowance: 0, mode: 'soft' } },
  });
  const run = (quota: string, query = '') => send('POST', `/orgs/acme/limits/distribute${query}`, { quota });
  const few = await run('usage');
  t.same(problem(few), [422, 'input-invalid', 'quota']);
  t.equal(few.body.fits, 2);
  t.same(problem(await run('usage', '?dryRun=true')), [422, 'input-invalid', 'quota']);
  t.equal((await run('ai')).body.fits, 0);
  t.same(problem(await run('lds')), [422, 'input-invalid', 'quota'], 'no plan');
  t.same(problem(await run('shoes')), [422, 'input-invalid', 'quota']);
  t.equal((await send('GET', '/orgs/acme/limits')).body.items.length, 0);
  for (const user of Object.keys(people(4))) await send('DELETE', `/orgs/acme/users/${user}`);
  t.same(problem(await run('usage')), [422, 'input-invalid', 'quota'], 'nobody is active');
});

t.test('a dry run reports who would be blocked, and changes nothing', async (t) => {
  const { send, reserve } = await startAcme(t, { plans: { usage: { allowance: 10 } } });
  await reserve('acme', 'ann', { usage: 50 });
  const { body } = await send('POST', '/orgs/acme/limits/distribute?dryRun=true', { quota: 'usage' });
  t.match(body, { users: 2, least: 5, most: 5, wouldBlock: true, usersBlocked: 1 });
  t.equal((await send('GET', '/orgs/acme/limits')).body.items.length, 0);
});

t.test('the number of users that a pool fits does fit, and is near the most', async () => {
  const least = (pool: number, count: number): number => {
    const caps = distribute(count).map(
      ({ offset, percent }) => shareOf(pool, offset + percent) - shareOf(pool, offset),
    );
    return Math.min(...caps);
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (pool, part) => {
        const fits = usersThatFit(pool);
        const fewer = Math.max(1, Math.floor(fits * part));
        return (
          fits >= 1 &&
          fits >= pool - 1 - pool * pool * 1e-7 &&
          least(pool, fits) > 0 &&
          least(pool, fewer) > 0
        );
      },
    ),
  );
});

t.test('a dry run says which caps in units it replaces', async (t) => {
  const { send } = await startAcme(t, {
    seats: 9,
    users: people(3),
    plans: { usage: { allowance: 100 }, lds: { allowance: 10 } },
    limits: [
      { user: 'u2', quota: 'usage', units: 12.5 },
      { user: 'u0', quota: 'usage', units: 3, shadow: true },
      { user: 'u1', quota: 'usage', percent: 10 },
      { user: 'u1', quota: 'lds', units: 4 },
    ],
  });
  const { body } = await send('POST', '/orgs/acme/limits/distribute?dryRun=true', { quota: 'usage' });
  t.same(body.unitsReplaced, {
    count: 2,
    limits: [
      { id: 'usage:u:u0', units: 3, shadow: true },
      { id: 'usage:u:u2', units: 12.5, shadow: false },
    ],
  });
});

t.test('by choice, caps in units are left alone, and the others share the pool', async (t) => {
  const seed = {
    seats: 9,
    users: people(3),
    plans: { usage: { allowance: 100 } },
    limits: [
      { user: 'u2', quota: 'usage', units: 12.5 },
      { user: 'u1', quota: 'usage', percent: 10 },
    ],
  };
  const { send } = await startAcme(t, seed);
  const body = { quota: 'usage', keepAbsolute: true };
  const kept = { count: 1, limits: [{ id: 'usage:u:u2', units: 12.5, shadow: false }] };
  const preview = (await send('POST', '/orgs/acme/limits/distribute?dryRun=true', body)).body;
  t.match(preview, { users: 2, unitsReplaced: { count: 0, limits: [] }, unitsKept: kept });
  t.match(await send('POST', '/orgs/acme/limits/distribute', body), {
    status: 200,
    body: { users: 2, capsSum: 100 },
  });
  const { items } = (await send('GET', '/orgs/acme/limits')).body;
  t.match(items, [{ percent: 50 }, { percent: 50 }, { units: 12.5, percent: undefined }]);
});
