/** Limits and pools: the arithmetic of caps, in integers. */

/** A percent is an integer of ten-millionths: 2,000,000 is 20 %. */
export const PERCENT_WHOLE = 10_000_000;

export type PlanMode = 'hard' | 'soft' | 'shadow';

export interface Plan {
  readonly allowance: number;
  readonly mode: PlanMode;
}

/**
 * A cap on a user or group: absolute (`percent` 0) or a share of the pool (`units` 0), optionally raised for a while.
 */
export interface Limit {
  readonly units: number;
  readonly percent: number;
  /** Where this share of the pool begins, if caps are split exactly to the unit; 0 for a cap set by hand. */
  readonly offset: number;
  readonly shadow: boolean;
  /** Units added until the store's clock reaches `raiseUntil` (ms). */
  readonly raise: number;
  readonly raiseUntil: number;
}

/** floor(pool × share / 10^7) without passing 2^53: divide first. */
export function shareOf(pool: number, share: number): number {
  const quotient = Math.floor(pool / PERCENT_WHOLE);
  const rest = pool - quotient * PERCENT_WHOLE;
  return quotient * share + Math.floor((rest * share) / PERCENT_WHOLE);
}

/** Returns the cap of a limit for the present pool and store time (ms). */
export function capOf(limit: Limit, pool: number, now: number): number {
  const base =
    limit.percent === 0
      ? limit.units
      : shareOf(pool, limit.offset + limit.percent) - shareOf(pool, limit.offset);
  return now < limit.raiseUntil ? base + limit.raise : base;
}

/**
 * Returns why a percentage of a pool is not a valid limit; undefined if it is valid. `pool`: undefined if the org has
 * no plan.
 */
export function percentFault(
  limit: Pick<Limit, 'percent' | 'offset'>,
  pool: number | undefined,
): 'no-plan' | 'nothing' | undefined {
  if (limit.percent === 0) return undefined;
  if (pool === undefined) return 'no-plan';
  return capOf({ ...NO_LIMIT, ...limit }, pool, 0) === 0 ? 'nothing' : undefined;
}

export const NO_LIMIT: Limit = { units: 0, percent: 0, offset: 0, shadow: false, raise: 0, raiseUntil: 0 };

/** Returns why so many users cannot be active; undefined if they can. */
export function seatsFault(seats: number | undefined, users: number): string | undefined {
  return seats !== undefined && users > seats ? `are fewer than the ${users} users` : undefined;
}

/** Percentage caps for `count` users: they sum to exactly 100 %, and to the unit for any pool. */
export function distribute(count: number): { percent: number; offset: number }[] {
  const shares: { percent: number; offset: number }[] = [];
  let offset = 0;
  for (let index = 1; index <= count; index += 1) {
    const end = Math.floor((PERCENT_WHOLE * index) / count);
    shares.push({ percent: end - offset, offset });
    offset = end;
  }
  return shares;
}
