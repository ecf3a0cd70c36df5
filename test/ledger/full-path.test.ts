// The common path of apply.lua hides what the full path does with the same calls: the contract and the random histories hold with the
// common path off, too.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { runChild } from './child-tests.js';

if (skipWithoutRedis !== false) t.plan(0, skipWithoutRedis);
else {
  // Read when the ledgers are loaded.
  process.env.QUOTAGATE_TEST_FULL_PATH = '1';
  const { openClockedRedis, runOn, serverOfFile } = await import('../support/ledgers.js');
  const opened = serverOfFile().then(({ url }) => openClockedRedis(url, 'test'));
  t.teardown(async () => (await opened).close());
  runOn([{ name: 'redis', opened }]);
  const contract = new URL('./contract/', import.meta.url);
  for (const file of readdirSync(fileURLToPath(contract)))
    if (file.endsWith('.test.js')) await import(new URL(file, contract).href);
  t.test('random histories agree with the embedded ledger', async (t) => {
    const { failed, onRedis, code } = await runChild('random-histories.test.js', { HISTORIES: '60' });
    t.strictSame({ failed, onRedis, code }, { failed: [], onRedis: 1, code: 0 });
  });
}
