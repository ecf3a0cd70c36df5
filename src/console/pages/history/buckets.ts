/** The points in time of a chart of the history: also those at which nothing was consumed. */
import { day, dayAt } from '../../format/dates.js';
import { daysBetween } from '../../format/zones.js';

export interface Period {
  readonly from: string;
  readonly to: string;
  readonly by: 'hour' | 'day' | 'week' | 'cycle' | 'total';
}

const DAY_MS = 86_400_000;

/** The Monday of the week of a day. */
function mondayOf(calendarDay: string): string {
  const ms = Date.parse(calendarDay);
  const sinceMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return new Date(ms - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}

export function bucketsOf({ from, to, by }: Period, rows: readonly { readonly bucket: string }[]): string[] {
  const days = daysBetween(from, to);
  if (by === 'day') return days;
  if (by === 'week') return [...new Set(days.map(mondayOf))];
  return [...new Set(rows.map(({ bucket }) => bucket))];
}

/** Days and weeks are calendar days; cycles begin at an instant; the total has no time. */
export function bucketName(bucket: string, by: Period['by'], zone: string): string {
  if (by === 'cycle') return dayAt(bucket, zone);
  return bucket === '' ? '' : day(bucket);
}
