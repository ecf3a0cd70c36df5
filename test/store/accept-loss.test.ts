// `quotagate store accept-loss` recreates only the lost orgs it is asked to: as the config defines them, or empty.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { acceptLosses } from '../../src/cli/store.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

const skip = { skip: skipWithoutRedis };

async function setUp(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-loss-'));
  const redis = await startRedis();
  const ledger = await openRedis({ url: redis.url });
  t.teardown(async () => {
    await ledger.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(
    file,
    `store: { redis: ${redis.url} }\norgs: { acme: { plans: { usage: { allowance: 7 } } } }\n`,
  );
  const run = async (options: { org?: string[]; all?: boolean }): Promise<string> => {
    let said = '';
    const out = { write: (text: string) => (said += text) };
    await acceptLosses({ config: file, reason: 'a test', ...options }, {}, out);
    return said;
  };
  return { folder, redis, ledger, run };
}

async function markLost(ledger: Ledger, org: string): Promise<void> {
  await ledger.commit(org, {
    version: 0,
    changes: [{ set: 'org', field: 'state', value: 'lost' }],
    audit: '',
  });
}

async function orgField(ledger: Ledger, org: string, field: string): Promise<string | null> {
  const { values } = await ledger.read(org, [{ table: 'org', fields: [field] }]);
  return values[0]?.[0] ?? null;
}

t.test('accept-loss recreates the named orgs, or all orgs marked as lost', skip, async (t) => {
  const { ledger, run } = await setUp(t);
  for (const org of ['acme', 'beta', 'gamma']) await markLost(ledger, org);
  t.match(await run({ org: ['acme'] }), /^acme: created from the config; nothing is consumed\n$/);
  t.equal(await orgField(ledger, 'acme', 'plan:usage'), '70:h');
  t.equal(await orgField(ledger, 'beta', 'epoch'), null);
  t.match(await run({ all: true }), /^beta: created without plans.*\ngamma: created without plans.*\n$/);
  t.equal(await orgField(ledger, 'beta', 'plan:usage'), null);
  t.equal(await orgField(ledger, 'beta', 'lossAccepted'), await orgField(ledger, 'beta', 'epoch'));
  t.equal(await run({ all: true }), 'no org is marked as lost\n');
  const epoch = await orgField(ledger, 'acme', 'epoch');
  t.match(await run({ org: ['acme'] }), /^acme: its data exists/);
  t.equal(await orgField(ledger, 'acme', 'epoch'), epoch, 'an org that is not lost stays unchanged');
});

t.test('accept-loss refuses missing, contradictory or unknown org names', skip, async (t) => {
  const { folder, ledger, run } = await setUp(t);
  await t.rejects(run({}), /--org, or use --all/);
  await t.rejects(run({ org: ['acme'], all: true }), /--org, or use --all/);
  await t.rejects(run({ org: ['typo'] }), /org not found: typo/);
  t.equal((await ledger.read('typo', [])).version, 0, 'a mistyped id creates no org');
  const embedded = join(folder, 'embedded.yaml');
  writeFileSync(embedded, '{}\n');
  const out = { write: () => undefined };
  await t.rejects(acceptLosses({ config: embedded, org: ['acme'], reason: '' }, {}, out), /no store.redis/);
});

t.test('the admin API reports lost orgs and serves the others', skip, async (t) => {
  const { redis, ledger, run } = await setUp(t);
  await markLost(ledger, 'gone');
  const upstream = 'http://127.0.0.1:1';
  const gateway = await startGateway({ redis: redis.url, upstream, orgs: '  acme: {}\n  gone: {}' });
  t.teardown(() => gateway.close());
  const list = await admin(gateway.admin, 'GET', '/orgs');
  t.match(list, {
    status: 200,
    body: {
      items: [
        { id: 'acme', state: 'open' },
        { id: 'gone', state: 'lost' },
      ],
    },
  });
  t.match(await admin(gateway.admin, 'GET', '/orgs/gone'), { status: 503, body: { code: 'store-lost' } });
  const cycle = { every: 'month', anchor: 1, timeZone: 'UTC' };
  t.match(await admin(gateway.admin, 'PUT', '/orgs/gone', { cycle }), {
    status: 503,
    body: { code: 'store-lost' },
  });
  const refused = await ask(gateway.gateway, '/v3/unit', { headers: as('ana', 'gone') });
  t.match(JSON.parse(refused.body), { status: 503, code: 'store-lost' });
  await run({ all: true });
  t.match(await admin(gateway.admin, 'GET', '/orgs/gone'), { status: 200, body: { state: 'open' } });
  t.match(await admin(gateway.admin, 'PUT', '/orgs/gone/plans/usage', { allowance: 5 }), { status: 200 });
});
