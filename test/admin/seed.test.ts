// Orgs of the config are created once, completely, and not changed by the config afterwards.
import t from 'tap';
import { createOrg, type SeedOrg } from '../../src/admin/index.js';
import { ProblemError } from '../../src/errors/catalogue.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { ACME, QUOTAS, startAdmin } from './support.js';

t.test('an org with everything', async (t) => {
  const { ledger, send, reserve } = await startAdmin(t);
  const limits: SeedOrg['limits'] = [
    { user: 'ann', quota: 'usage', percent: 20 },
    { user: 'Zoë', quota: 'usage', units: '12.5', shadow: true },
    { group: 'eng', quota: 'ai', units: 1_000 },
  ];
  t.equal(
    await createOrg(ledger, { id: 'acme', seed: { ...ACME, limits, thresholds: [100, 75] }, quotas: QUOTAS }),
    true,
  );
  t.match((await send('GET', '/orgs/acme')).body, {
    name: 'acme',
    seats: 3,
    seatsUsed: 2,
    thresholds: [75, 100],
  });
  const { items } = (await send('GET', '/orgs/acme/limits')).body;
  t.match(items, [
    { id: 'ai:g:eng', cap: 1_000 },
    { id: 'usage:u:Zo%C3%AB', units: 12.5, shadow: true, subject: { id: 'Zoë' } },
    { id: 'usage:u:ann', percent: 20, cap: 1_000 },
  ]);
  t.match((await send('GET', '/orgs/acme/users/Zo%C3%AB')).body, { status: 'invited' });
  t.match((await send('GET', '/orgs/acme/users/ann')).body, {
    name: 'Ann Smith',
    groups: ['eng'],
    role: 'admin',
  });
  t.match(await reserve('acme', 'bob', { ai: 1_001 }), { status: 'refused', violated: [{ group: 'eng' }] });
});

t.test('what exists is left alone, archived or not', async (t) => {
  const { ledger, send } = await startAdmin(t);
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  await send('PUT', '/orgs/acme/plans/usage', { allowance: 1 });
  t.equal(await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS }), false);
  t.equal((await send('GET', '/orgs/acme/overview')).body.quotas[0].allowance, 1);
  await send('DELETE', '/orgs/acme');
  t.equal(await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS }), false);
  t.equal((await send('GET', '/orgs/acme')).body.state, 'archived');
});

t.test('two gateways that start at once create it once', async (t) => {
  const ledger = await openEmbedded();
  t.teardown(() => ledger.close());
  const made = await Promise.all(
    [1, 2, 3].map(() => createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS })),
  );
  t.same(made.sort(), [false, false, true]);
});

t.test('a definition with a mistake creates nothing, and names it', async (t) => {
  const ledger = await openEmbedded();
  t.teardown(() => ledger.close());
  const bad: [Partial<SeedOrg>, string][] = [
    [{ seats: 1 }, 'seats'],
    [{ cycle: { every: 'day', anchor: 24, timeZone: 'UTC' } }, 'cycle/anchor'],
    [{ plans: { shoes: { allowance: 1 } } }, 'plans/shoes'],
    [{ plans: { usage: { allowance: 0.05 } } }, 'plans/usage/allowance'],
    [{ plans: { usage: { allowance: 1, extra: -1 } } }, 'plans/usage/extra'],
    [{ users: { ann: { groups: ['nope'] } } }, 'users/ann/groups'],
    [{ limits: [{ quota: 'ai', user: 'ann', units: 0 }] }, 'limits/0/units'],
    [{ limits: [{ quota: 'ai', user: 'ann' }] }, 'limits/0/units'],
    [{ limits: [{ quota: 'lds', user: 'ann', percent: 5 }] }, 'limits/0/percent'],
    [{ limits: [{ quota: 'ai', group: 'nope', units: 5 }] }, 'limits/0/group'],
    [{ limits: [{ quota: 'ai', units: 5 }] }, 'limits/0/user'],
    [
      {
        limits: [
          { quota: 'ai', user: 'ann', units: 5 },
          { quota: 'ai', user: 'ann', percent: 5 },
        ],
      },
      'limits/1',
    ],
  ];
  for (const [part, field] of bad) {
    const failed = createOrg(ledger, { id: 'acme', seed: { ...ACME, ...part }, quotas: QUOTAS });
    const error = await failed.then(
      () => undefined,
      (reason) => reason,
    );
    t.ok(error instanceof ProblemError, field);
    t.match(error, { code: 'input-invalid', members: { errors: [{ field }] } });
  }
  await t.rejects(createOrg(ledger, { id: 'a b', seed: ACME, quotas: QUOTAS }), { code: 'input-invalid' });
  t.same(await ledger.orgs(), []);
});
