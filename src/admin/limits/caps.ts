/** The sum of the caps of a quota's active users, and the part of the pool that no one can use. */
import { statusIn } from '../../ledger/codec.js';
import { capNow, instant, quotaOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView } from '../../ledger/view/org-view.js';
import { type Limit, PERCENT_WHOLE } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import { percentOut } from '../http/amounts.js';
import { Turns } from '../http/turns.js';
import type { LimitRow } from '../snapshots/limit-rows.js';

/** Tables that `allCapSums` reads. */
export const CAP_TABLES = ['members', 'limits'] as const;

interface Sums {
  activeUsers: number;
  cappedUsers: number;
  percentUsers: number;
  percent: number;
  units: number;
  /** Limits that are raised now, of users and groups, and the first end of a raise. */
  raised: number;
  raiseEnds: number;
}

const NO_CAPS: Sums = {
  activeUsers: 0,
  cappedUsers: 0,
  percentUsers: 0,
  percent: 0,
  units: 0,
  raised: 0,
  raiseEnds: 0,
};

/** Shadow limits do not cap anyone, so they do not count. */
async function sumsOf(view: OrgView, limits: Iterable<LimitRow>): Promise<Map<string, Sums>> {
  const members = fieldsOf(view.tables, 'members');
  const activeUsers = view.seatsUsed;
  const all = new Map([...view.pools.keys()].map((quota) => [quota, { ...NO_CAPS, activeUsers }]));
  const turns = new Turns();
  for (const { line, limit } of limits) {
    if (turns.isDue()) await turns.next();
    const sums = all.get(line.quota);
    if (sums === undefined) continue;
    addRaise(sums, limit, view.now);
    const member = line.scope === 'user' ? members.get(line.subject) : undefined;
    if (member === undefined || statusIn(member) !== 'active') continue;
    addCap(sums, limit, (one) => capNow(view, line.quota, one));
  }
  return all;
}

function addRaise(sums: Sums, { raiseUntil }: Limit, now: number): void {
  if (now >= raiseUntil) return;
  sums.raised += 1;
  sums.raiseEnds = sums.raised === 1 ? raiseUntil : Math.min(sums.raiseEnds, raiseUntil);
}

function addCap(sums: Sums, limit: Limit, capOf: (limit: Limit) => number): void {
  if (limit.shadow) return;
  sums.cappedUsers += 1;
  sums.units += capOf(limit);
  if (limit.percent > 0) sums.percentUsers += 1;
  sums.percent += limit.percent;
}

/**
 * `exact`: percentage caps that sum to 100 %. `oversubscribed`: above. `short`: below. `none`: there are no percentage
 * caps. `unconsumable` is known only if every active user has a cap.
 */
function capSums(view: OrgView, quota: string, sums: Sums) {
  const { decimals } = quotaOf(view, quota);
  const pool = view.pools.get(quota)?.units ?? 0;
  const { activeUsers, cappedUsers, percentUsers, percent, units, raised, raiseEnds } = sums;
  const all = activeUsers > 0 && cappedUsers === activeUsers;
  return {
    activeUsers,
    cappedUsers,
    percentSum: percentOut(percent),
    unitsSum: formatUnits(units, decimals),
    state: percentUsers === 0 ? ('none' as const) : stateOf(percent),
    unconsumable: all ? formatUnits(Math.max(0, pool - units), decimals) : null,
    raises: { count: raised, until: raised === 0 ? null : instant(raiseEnds) },
  };
}

function stateOf(percent: number): 'exact' | 'oversubscribed' | 'short' {
  if (percent === PERCENT_WHOLE) return 'exact';
  return percent > PERCENT_WHOLE ? 'oversubscribed' : 'short';
}

export type CapSums = ReturnType<typeof capSums>;

/** The sums of every quota that has a plan. */
export async function allCapSums(view: OrgView, limits: Iterable<LimitRow>) {
  const caps: Record<string, CapSums> = {};
  for (const [quota, sums] of await sumsOf(view, limits)) caps[quota] = capSums(view, quota, sums);
  return caps;
}
