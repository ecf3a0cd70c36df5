/** When a pool runs out, if consumption goes on as in this cycle so far. */

export interface Pace {
  readonly consumed: number;
  readonly remaining: number;
  /** Start of the cycle, now, and end of the cycle, in ms. */
  readonly start: number;
  readonly now: number;
  readonly end: number;
}

export type Forecast =
  | { readonly kind: 'unused' | 'early' | 'exhausted' }
  /** In this cycle, at this time in ms. */
  | { readonly kind: 'runs-out'; readonly at: number }
  /** How much will be left at the end of the cycle. */
  | { readonly kind: 'lasts'; readonly left: number };

/** A pace is taken from at least this share of the cycle. */
const LEAST_SHARE = 1 / 50;

export function forecastOf({ consumed, remaining, start, now, end }: Pace): Forecast {
  if (remaining <= 0) return { kind: 'exhausted' };
  if (consumed <= 0) return { kind: 'unused' };
  const elapsed = now - start;
  if (elapsed < (end - start) * LEAST_SHARE) return { kind: 'early' };
  const perMs = consumed / elapsed;
  const at = now + remaining / perMs;
  return at < end ? { kind: 'runs-out', at } : { kind: 'lasts', left: remaining - perMs * (end - now) };
}
