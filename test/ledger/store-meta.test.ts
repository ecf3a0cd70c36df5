// A store keeps its scale forever: other decimals, and a newer schema, are refused at the start.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { claimStore } from '../../src/ledger/store-meta.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

const QUOTAS = { usage: { decimals: 1 }, ai: { decimals: 0 } };

async function holds(t: Test, ledger: Ledger): Promise<void> {
  await claimStore(ledger, QUOTAS);
  const other = { usage: { decimals: 2 }, ai: { decimals: 0 } };
  if (ledger.name === 'embedded') {
    await claimStore(ledger, other);
    await claimStore(ledger, QUOTAS);
    t.pass('while there is no org, nothing is counted');
  } else
    await t.rejects(
      claimStore(ledger, other),
      /has 1|created with 1/,
      'another gateway may make the first org',
    );
  await ledger.commit('acme', {
    version: 0,
    changes: [{ set: 'org', field: 'epoch', value: 'e1' }],
    audit: '',
  });
  await claimStore(ledger, QUOTAS);
  await claimStore(ledger, { ...QUOTAS, lds: { decimals: 3 } });
  await t.rejects(
    claimStore(ledger, { usage: { decimals: 2 } }),
    /quotas\.usage\.decimals is 2, .* created with 1: set it to 1/,
  );
  await t.rejects(
    claimStore(ledger, { lds: { decimals: 0 } }),
    /quotas\.lds\.decimals is 0, .* created with 3/,
    'new ones too',
  );
  await claimStore(ledger, QUOTAS);
  t.same(await ledger.orgs(), ['acme'], 'it is no org');
  const { version } = await ledger.read('*meta*', []);
  const changes = [{ set: 'records', field: 'schema', value: '2' }] as const;
  await ledger.commit('*meta*', { version, changes, audit: '' });
  await t.rejects(claimStore(ledger, QUOTAS), /the store is of schema 2, but this version supports 1/);
}

t.test('embedded', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-meta-'));
  const ledger = await openEmbedded({ path: join(folder, 'ledger') });
  t.teardown(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });
  await holds(t, ledger);
});

t.test('Redis', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const ledger = await openRedis({ url: redis.url });
  t.teardown(async () => {
    await ledger.close();
    await redis.stop();
  });
  await holds(t, ledger);
});
