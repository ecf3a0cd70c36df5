// The contract of the ledger on the other forms of Redis: a master behind Sentinels.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openClockedAt, runOn } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { SentinelSet } from '../support/sentinel.js';

if (skipWithoutRedis !== false) t.plan(0, skipWithoutRedis);
else {
  t.setTimeout(90_000);
  const sentinels = await SentinelSet.start();
  t.teardown(() => sentinels.close());
  runOn([{ name: 'sentinel', opened: openOnSentinels(sentinels) }]);
  const contract = new URL('./contract/', import.meta.url);
  for (const file of readdirSync(fileURLToPath(contract)))
    if (file.endsWith('.test.js')) await import(new URL(file, contract).href);
}

async function openOnSentinels(sentinels: SentinelSet) {
  const master = await sentinels.master();
  const ledger = await openClockedAt(sentinels.address, 'test', {
    now: "local function now() return tonumber(redis.call('GET', 'clock:test')) end",
    setClock: async (ms) => void (await master.send('SET', 'clock:test', ms)),
  });
  t.teardown(() => ledger.close());
  return ledger;
}
