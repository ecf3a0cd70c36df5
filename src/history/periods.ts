/** The periods that a caller can name, as days of the org. */
import type { OrgView } from '../ledger/view/org-view.js';
import { dayOf } from '../quota/cycle.js';
import { dayBefore } from './tables.js';

/** So many days until today, included. */
const LAST_DAYS = { '7d': 7, '30d': 30, '90d': 90, year: 365 } as const;
export const PERIOD_NAMES = ['7d', '30d', '90d', 'cycle', 'last-month', 'year'] as const;
export type Period = (typeof PERIOD_NAMES)[number];
export const PERIOD_DEFAULT: Period = '30d';

export interface Days {
  readonly from: string;
  readonly to: string;
  /** The instant at which a cycle began. */
  readonly since?: number;
}

/** `last-month` is the calendar month before this one. */
export function daysOfPeriod(
  period: Period,
  { now, rule, cycle }: Pick<OrgView, 'now' | 'rule' | 'cycle'>,
): Days {
  const today = dayOf(now, rule.timeZone);
  if (period === 'cycle') return { from: dayOf(cycle.start, rule.timeZone), to: today, since: cycle.start };
  if (period === 'last-month') {
    const to = dayBefore(firstOfMonth(today), 1);
    return { from: firstOfMonth(to), to };
  }
  return { from: dayBefore(today, LAST_DAYS[period] - 1), to: today };
}

function firstOfMonth(day: string): string {
  return `${day.slice(0, 'YYYY-MM'.length)}-01`;
}
