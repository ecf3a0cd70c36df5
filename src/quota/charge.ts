/** What a request costs, as the stages pass it on. */

/**
 * `fixed`: charged at admission. `held`: an estimate, reserved now and settled later.
 * `gate`: costs nothing, but the quota must not be exhausted.
 */
export type ChargeKind = 'fixed' | 'held' | 'gate';

/** One quota's part of a request's cost. `units` are integers, scaled by the quota's decimals; 0 for a gate. */
export interface ChargeItem {
  readonly quota: string;
  readonly units: number;
  readonly kind: ChargeKind;
  /** For a held item of a request that can be made cheaper: the ledger may grant any amount from `least` to `units`. */
  readonly least?: number;
}

/** All charges of one request, one item per quota. */
export interface Charges {
  readonly action: string;
  readonly items: readonly ChargeItem[];
  /** Model key (quota/id.ts) of the model that the request names. */
  readonly model?: string;
}

/** Counters are exact up to this value: below 2^53 with a margin for one more addition. */
export const UNITS_MAX = 9_000_000_000_000_000;

/** Maximum charges per route: limits the lines of one decision. */
export const CHARGES_MAX = 8;

/** A user in more groups than this is refused; the list is not truncated. */
export const GROUPS_MAX = 64;

/**
 * Builds the charges of a request. Items on the same quota are added up. A gate beside a cost on the same quota is
 * redundant, and a cost of 0 units is a gate.
 */
export function charges(action: string, items: readonly ChargeItem[], model?: string): Charges {
  const byQuota = new Map<string, ChargeItem>();
  for (const item of items) {
    const before = byQuota.get(item.quota);
    byQuota.set(item.quota, before === undefined ? normal(item) : mergedItem(before, normal(item)));
  }
  const all = [...byQuota.values()];
  return model === undefined ? { action, items: all } : { action, items: all, model };
}

/** Charges on one quota add up, so the sum must fit. */
export function fitsUnits({ items }: Pick<Charges, 'items'>): boolean {
  return items.every((item) => item.units <= UNITS_MAX);
}

// A held estimate of 0 is still settled later, so it stays a hold.
function normal(item: ChargeItem): ChargeItem {
  if (item.kind === 'held' || item.units > 0) return item;
  return { quota: item.quota, units: 0, kind: 'gate' };
}

function mergedItem(a: ChargeItem, b: ChargeItem): ChargeItem {
  const kind = a.kind === 'held' || b.kind === 'held' ? 'held' : a.units + b.units > 0 ? 'fixed' : 'gate';
  const sum: ChargeItem = { quota: a.quota, units: a.units + b.units, kind };
  if (a.least === undefined && b.least === undefined) return sum;
  return { ...sum, least: (a.least ?? a.units) + (b.least ?? b.units) };
}
