/** Whom a limit would have blocked in the last cycle, by the history. */
import { queryHistory } from '../../history/query.js';
import { capNow, instant, type LimitLine, quotaOf } from '../../ledger/view/limit-lines.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { boundsAt, periodDays } from '../../quota/cycle.js';
import type { Limit } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import type { Admin } from '../admin.js';

export interface LastCycle {
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
  readonly consumed: number;
  /** The subject consumed all that the limit allows. */
  readonly isBlocked: boolean;
}

/** Undefined: the org had no cycle before this one. */
export async function lastCycle(
  { ledger }: Pick<Admin, 'ledger'>,
  view: OrgView,
  { line, limit }: { readonly line: LimitLine; readonly limit: Limit },
): Promise<LastCycle | undefined> {
  const { id: org, rule, cycle, createdAt } = view;
  if (createdAt >= cycle.start) return undefined;
  const before = boundsAt(rule, cycle.start - 1);
  const days = periodDays(before, rule.timeZone);
  const { quota, scope, subject } = line;
  const only = scope === 'group' ? { group: subject } : { user: subject };
  const query = { org, rule, ...days, since: before.start, by: 'cycle', groupBy: [], only } as const;
  const rows = await queryHistory(ledger, query);
  const start = instant(before.start);
  const { units = 0 } = rows.find(({ bucket, at }) => bucket === start && at.quota === quota) ?? {};
  const isBlocked = !limit.shadow && units >= capNow(view, quota, limit);
  return { ...days, consumed: formatUnits(units, quotaOf(view, quota).decimals), isBlocked };
}
