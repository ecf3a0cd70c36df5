// Outside of tests the clock of an org is the store's own: Redis' TIME, or this process' for the embedded ledger.
import t from 'tap';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

const NEAR_MS = 1000;

t.test('embedded', async (t) => {
  const ledger = await openEmbedded();
  t.teardown(() => ledger.close());
  t.ok(Math.abs((await ledger.clock()) - Date.now()) < NEAR_MS);
});

t.test('redis', { skip: skipWithoutRedis }, async (t) => {
  const ledger = await openRedis({ url: (await serverOfFile()).url });
  t.teardown(() => ledger.close());
  t.ok(Math.abs((await ledger.clock()) - Date.now()) < NEAR_MS);
  t.ok(Math.abs((await ledger.read('acme', [])).now - Date.now()) < NEAR_MS);
});
