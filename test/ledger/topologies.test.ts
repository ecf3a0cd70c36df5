// The contract of the ledger on the other forms of Redis: a master behind Sentinels, and a Cluster.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ClusterSet } from '../support/cluster.js';
import { openClockedAt, runOn } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { SentinelSet } from '../support/sentinel.js';

if (skipWithoutRedis !== false) t.plan(0, skipWithoutRedis);
else {
  t.setTimeout(90_000);
  const [sentinels, cluster] = await Promise.all([SentinelSet.start(), ClusterSet.start(0)]);
  t.teardown(() => Promise.all([sentinels.close(), cluster.close()]));
  runOn([
    { name: 'sentinel', opened: openOnSentinels(sentinels) },
    { name: 'cluster', opened: openOnCluster(cluster) },
  ]);
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

/** Each node has the clock under a key of its own: a script reaches no other node. */
async function openOnCluster(cluster: ClusterSet) {
  const owners = new Map<unknown, string>();
  for (let count = 0; owners.size < cluster.nodes.length; count += 1) {
    const key = `clock:{${count}}`;
    const owner = await cluster.ownerOf(key);
    if (!owners.has(owner)) owners.set(owner, key);
  }
  const keys = [...owners.values()];
  const now = `
local function now()
  for _, key in ipairs({ ${keys.map((key) => `'${key}'`).join(', ')} }) do
    local found, value = pcall(redis.call, 'GET', key)
    if found and type(value) == 'string' then return tonumber(value) end
  end
end`;
  const ledger = await openClockedAt(cluster.address, 'test', {
    now,
    async setClock(ms) {
      for (const [node, key] of owners) await (node as (typeof cluster.nodes)[number]).send('SET', key, ms);
    },
  });
  t.teardown(() => ledger.close());
  return ledger;
}
