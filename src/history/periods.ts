/** The periods that a caller can name, as days of the org. */
import type { OrgView } from '../ledger/view/org-view.js';
import { dayOf } from '../quota/cycle.js';
import { dayBefore } from './tables.js';

export const PERIODS = { '7d': 7, '30d': 30, '90d': 90, cycle: 0, year: 365 } as const;
export type Period = keyof typeof PERIODS;
export const PERIOD_NAMES = Object.keys(PERIODS) as [Period, ...Period[]];
export const PERIOD_DEFAULT: Period = '30d';

export interface Days {
  readonly from: string;
  readonly to: string;
  /** The instant at which a cycle began. */
  readonly since?: number;
}

/** Until today, included. */
export function daysOfPeriod(
  period: Period,
  { now, rule, cycle }: Pick<OrgView, 'now' | 'rule' | 'cycle'>,
): Days {
  const to = dayOf(now, rule.timeZone);
  if (period === 'cycle') return { from: dayOf(cycle.start, rule.timeZone), to, since: cycle.start };
  return { from: dayBefore(to, PERIODS[period] - 1), to };
}
