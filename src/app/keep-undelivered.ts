import type { Logger } from 'pino';
import type { StoreBatcher } from '../ledger/batching/index.js';
import type { Spool } from '../spool/spool.js';

export const SPOOL_FAILED =
  'The spool cannot be read or written: check its path, permissions and free space.';

interface Undelivered {
  readonly logger: Logger;
  readonly batcher: StoreBatcher;
}

/** Spools what could not be delivered to the store. Without a spool each operation is logged for an operator. */
export async function keepUndelivered(
  { logger, batcher }: Undelivered,
  spool: Spool | undefined,
): Promise<boolean> {
  const calls = batcher.undelivered();
  if (calls.length === 0) return true;
  try {
    if (spool !== undefined) {
      const file = await spool.write(calls);
      logger.warn(
        { event: 'settlements_spooled', file, calls: calls.length },
        'The store did not accept these settlements; they are kept on disk for the next process.',
      );
      return true;
    }
  } catch (err) {
    logger.error({ event: 'spool_failed', err }, SPOOL_FAILED);
  }
  for (const { org, inDoubt, ops } of calls)
    for (const { op } of ops)
      if (op.kind !== 'none')
        logger.error(
          { event: 'settlement_undelivered', org, op, inDoubt },
          'A settlement is lost: the store did not accept it, and it could not be spooled.',
        );
  return false;
}
