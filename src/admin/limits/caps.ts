/** The sum of the caps of a quota's active users, and the part of the pool that no one can use. */
import { setImmediate as turn } from 'node:timers/promises';
import { decodeLimit, decodeMember } from '../../ledger/codec.js';
import { capNow, quotaOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView } from '../../ledger/view/org-view.js';
import { lineOf } from '../../quota/id.js';
import { PERCENT_WHOLE } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import { percentOut } from '../http/amounts.js';

/** Tables that `capSums` reads. */
export const CAP_TABLES = ['members', 'limits'] as const;

interface Sums {
  activeUsers: number;
  cappedUsers: number;
  percentUsers: number;
  percent: number;
  units: number;
}

const USERS_A_TURN = 500;

/** Shadow limits do not cap anyone, so they do not count. */
async function sumsOf(view: OrgView, quota: string): Promise<Sums> {
  const limits = fieldsOf(view.tables, 'limits');
  const sums: Sums = { activeUsers: 0, cappedUsers: 0, percentUsers: 0, percent: 0, units: 0 };
  let seen = 0;
  for (const [userKey, text] of fieldsOf(view.tables, 'members')) {
    seen += 1;
    if (seen % USERS_A_TURN === 0) await turn();
    if (decodeMember(text).status !== 'active') continue;
    sums.activeUsers += 1;
    const found = limits.get(lineOf(quota, 'user', userKey));
    const limit = found === undefined ? undefined : decodeLimit(found);
    if (limit === undefined || limit.shadow) continue;
    sums.cappedUsers += 1;
    sums.units += capNow(view, quota, limit);
    if (limit.percent > 0) sums.percentUsers += 1;
    sums.percent += limit.percent;
  }
  return sums;
}

/**
 * `exact`: percentage caps that sum to 100 %. `oversubscribed`: above. `short`: below. `none`: there are no percentage
 * caps. `unconsumable` is known only if every active user has a cap.
 */
export async function capSums(view: OrgView, quota: string) {
  const { decimals } = quotaOf(view, quota);
  const pool = view.pools.get(quota)?.units ?? 0;
  const { activeUsers, cappedUsers, percentUsers, percent, units } = await sumsOf(view, quota);
  const all = activeUsers > 0 && cappedUsers === activeUsers;
  return {
    activeUsers,
    cappedUsers,
    percentSum: percentOut(percent),
    unitsSum: formatUnits(units, decimals),
    state: percentUsers === 0 ? ('none' as const) : stateOf(percent),
    unconsumable: all ? formatUnits(Math.max(0, pool - units), decimals) : null,
  };
}

function stateOf(percent: number): 'exact' | 'oversubscribed' | 'short' {
  if (percent === PERCENT_WHOLE) return 'exact';
  return percent > PERCENT_WHOLE ? 'oversubscribed' : 'short';
}

export type CapSums = Awaited<ReturnType<typeof capSums>>;

/** The sums of every quota that has a plan. */
export async function allCapSums(view: OrgView) {
  const sums: Record<string, CapSums> = {};
  for (const quota of view.pools.keys()) sums[quota] = await capSums(view, quota);
  return sums;
}
