/** The ledger that a config names. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StoreConfig } from './config/schema.js';
import { passwordIn } from './config/secret.js';
import { openMemory } from './ledger/memory/index.js';
import type { Ledger } from './ledger/port.js';
import { openRedis } from './ledger/redis/index.js';

/** A store that is down fails many times a second. */
const TOLD_EVERY_MS = 10_000;

/** Rejects where the store cannot be had, or must not be used; the error names the setting. */
export async function openLedger(store: StoreConfig, logger: Logger): Promise<Ledger> {
  try {
    return await open(store, logger);
  } catch (error) {
    const setting = 'redis' in store ? 'store.redis' : 'store.embedded.path';
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    throw new Error(`${setting}: ${message}`, { cause });
  }
}

async function open(store: StoreConfig, logger: Logger): Promise<Ledger> {
  if (!('redis' in store)) {
    const path = join(store.embedded.path, 'ledger');
    logger.warn({ path }, 'embedded ledger: one process only, for more replicas set store.redis');
    return openMemory({ path });
  }
  const { redis: url, passwordFile } = store;
  let untold = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  const onError = (error: Error): void => {
    const now = performance.now();
    if (now - toldAt < TOLD_EVERY_MS) untold += 1;
    else {
      logger.error({ err: error, untold }, 'store-unavailable');
      toldAt = now;
      untold = 0;
    }
  };
  return openRedis({
    url,
    onError,
    ...(passwordFile === undefined ? {} : { password: () => passwordIn(passwordFile) }),
  });
}
