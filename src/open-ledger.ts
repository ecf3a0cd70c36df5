/** The ledger that a config names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StoreConfig } from './config/schema.js';
import { openMemory } from './ledger/memory/index.js';
import type { Ledger } from './ledger/port.js';
import { openRedis } from './ledger/redis/index.js';

/** A store that is down fails many times a second. */
const TOLD_EVERY_MS = 10_000;

/** Rejects where the store cannot be had, or must not be used. */
export async function openLedger(store: StoreConfig, logger: Logger): Promise<Ledger> {
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

function passwordIn(file: string): string {
  const password = readFileSync(file, 'utf8').trim();
  if (password === '') throw new Error(`${file} is empty`);
  return password;
}
