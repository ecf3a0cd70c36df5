/** Builds the ledger that a config names. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StoreConfig } from '../config/schema.js';
import type { ClockGuard } from '../ledger/clock-guard.js';
import { openEmbedded } from '../ledger/embedded/index.js';
import type { Ledger } from '../ledger/port.js';
import type { PresenceEvent } from '../ledger/redis/presence.js';
import type { RedirectKind } from '../ledger/redis/slot-map.js';
import { storeAddress, storeSetting } from './store-address.js';

/** Limits logging: a store that is down fails many times a second. */
const LOG_EVERY_MS = 10_000;
/** A connection that waits for replicas for longer would count as silent. */
const WAIT_MAX_MS = 1_000;

/** Optional parts of a ledger. */
export interface LedgerParts {
  /** Called for lost data. */
  readonly alarm?: (what: string) => void;
  /** Bounds the store's clock. */
  readonly clockGuard?: ClockGuard;
  /** Called for each call that a Cluster sends again because of its slot. */
  readonly onRedirect?: (kind: RedirectKind) => void;
}

/** Rejects if the store is unavailable or must not be used; the error names the setting. */
export async function openLedger(
  store: StoreConfig,
  logger: Logger,
  resources: LedgerParts = {},
): Promise<Ledger> {
  try {
    return await open(store, logger, resources);
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    throw new Error(`${storeSetting(store)}: ${message}`, { cause });
  }
}

async function open(
  store: StoreConfig,
  logger: Logger,
  { alarm = () => undefined, clockGuard, onRedirect }: LedgerParts,
): Promise<Ledger> {
  if ('embedded' in store) {
    const path = join(store.embedded.path, 'ledger');
    logger.warn(
      { event: 'ledger_embedded', path },
      'The embedded ledger serves one process only; for more replicas keep the ledger in Redis.',
    );
    return openEmbedded({ path, clockGuard });
  }
  let unlogged = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  const onError = (error: Error): void => {
    const now = performance.now();
    if (now - loggedAt < LOG_EVERY_MS) unlogged += 1;
    else {
      logger.error(
        { event: 'store_unavailable', err: error, unlogged },
        'The store cannot be reached or refuses commands; the gateway keeps trying.',
      );
      loggedAt = now;
      unlogged = 0;
    }
  };
  const onPresence = (event: PresenceEvent): void => {
    if (event.kind === 'waiting') {
      logger.info(
        { event: 'store_empty', ms: event.ms },
        'The store is empty; the first org waits until other gateways had time to report lost data.',
      );
      return;
    }
    alarm('store-emptied');
    logger.error(
      { event: 'store_emptied', orgs: event.orgs },
      'The store lacks orgs that this gateway knows: it was emptied or is an older backup. They are marked as lost. Restore them or run quotagate store accept-loss.',
    );
  };
  const { openRedis } = await import('../ledger/redis/index.js');
  const { minReplicas: replicas } = store;
  const waitMs = Math.min(store.deadlineMs, WAIT_MAX_MS);
  const replication = replicas === undefined ? undefined : { replicas, waitMs };
  return openRedis({ ...storeAddress(store), replication, onError, onPresence, clockGuard, onRedirect });
}
