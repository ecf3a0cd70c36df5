/** The ledger on an injected clock, on the other forms of Redis: a master behind Sentinels, and a Cluster. */
import { Redis } from 'ioredis';
import { type ClockedLedger, openClockedAt, openClockedBy } from './clocked-ledger.js';
import type { ClusterSet } from './cluster.js';
import type { RedisNode } from './redis-node.js';
import type { SentinelSet } from './sentinel.js';

function clientOf({ port, host }: RedisNode): Redis {
  return new Redis(port, host, { protocol: 2 });
}

export async function openClockedSentinel(set: SentinelSet, prefix: string): Promise<ClockedLedger> {
  return openClockedBy(clientOf(await set.master()), set.address, prefix);
}

/** Each node has the clock under a key of its own: a script reaches no other node. */
export async function openClockedCluster(set: ClusterSet, prefix: string): Promise<ClockedLedger> {
  const clocks = new Map<RedisNode, string>();
  for (let count = 0; clocks.size < set.masters.length; count += 1) {
    const key = `clock:${prefix}:{${count}}`;
    const owner = await set.ownerOf(key);
    if (!clocks.has(owner)) clocks.set(owner, key);
  }
  const clients = [...clocks].map(([node, key]) => ({ client: clientOf(node), key }));
  const keys = clients.map(({ key }) => `'${key}'`).join(', ');
  const now = `
local function now()
  for _, key in ipairs({ ${keys} }) do
    local found, value = pcall(redis.call, 'GET', key)
    if found and type(value) == 'string' then return tonumber(value) end
  end
end`;
  const { ledger, close, setClock } = await openClockedAt(set.address, prefix, {
    now,
    setClock: async (ms) => void (await Promise.all(clients.map(({ client, key }) => client.set(key, ms)))),
  });
  return {
    ledger,
    setClock,
    async close() {
      await close();
      for (const { client } of clients) client.disconnect();
    },
  };
}
