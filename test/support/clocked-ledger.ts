/** Ledgers on an injected clock. */
import { Redis } from 'ioredis';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis, type RedisOptions } from '../../src/ledger/redis/index.js';

/** A ledger whose clock the test sets. */
export interface ClockedLedger {
  readonly ledger: Ledger;
  setClock(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function openClockedMemory(path?: string): Promise<ClockedLedger> {
  let clock = 0;
  const persisted = path === undefined ? {} : { path };
  const ledger = await openEmbedded({ clock: () => clock, ...persisted });
  const setClock = async (ms: number): Promise<void> => {
    clock = ms;
  };
  return { ledger, setClock, close: () => ledger.close() };
}

/**
 * In place of `redis`: refuses every key that the caller did not name, as Cluster needs it. Only the tests' clock is free.
 */
const KEYS_ONLY = `
local store, named = redis, {}
for _, key in ipairs(KEYS) do named[key] = true end
local redis = { call = function(command, key, ...)
  if key == nil then return store.call(command) end
  local named_key = key
  -- Its subcommand stands before the key.
  if command == 'MEMORY' then named_key = ... end
  if not named[named_key] and not string.find(named_key, '^clock:') then
    error(command .. ' of a key not in KEYS: ' .. named_key)
  end
  return store.call(command, key, ...)
end }
`;

/** Set by full-path.test.ts: the common path of apply.lua is off, and the same tests must pass. */
export const FULL_PATH_ONLY = process.env.QUOTAGATE_TEST_FULL_PATH === '1';

/** `prefix` keeps ledgers apart on one server, their clocks too. */
export async function openClockedRedis(url: string, prefix: string): Promise<ClockedLedger> {
  const client = new Redis(url.replace(/^unix:\/\//, ''), { protocol: 2 });
  return openClockedBy(client, { url }, prefix);
}

/** With the clock on the server that `client` talks to, which it closes. */
export async function openClockedBy(
  client: Redis,
  address: Omit<RedisOptions, 'prefix'>,
  prefix: string,
): Promise<ClockedLedger> {
  const clock = `clock:${prefix}`;
  const now = `local function now() return tonumber(redis.call('GET', '${clock}')) end`;
  const setClock = async (ms: number): Promise<void> => void (await client.set(clock, ms));
  const { ledger, close } = await openClockedAt(address, prefix, { now, setClock });
  return {
    ledger,
    setClock,
    async close() {
      await close();
      client.disconnect();
    },
  };
}

/** `now`: the Lua that reads what `setClock` writes. */
export async function openClockedAt(
  address: Omit<RedisOptions, 'prefix'>,
  prefix: string,
  { now, setClock }: { readonly now: string; readonly setClock: ClockedLedger['setClock'] },
): Promise<ClockedLedger> {
  const patch = (source: string): string => KEYS_ONLY + source;
  await setClock(0);
  const replaced = FULL_PATH_ONLY ? { now, 'common-path': 'return full_path()' } : { now };
  const options = { prefix, objectionMs: 0, scripts: { replaced, patch } };
  const ledger = await openRedis({ ...address, ...options });
  return { ledger, setClock, close: () => ledger.close() };
}
