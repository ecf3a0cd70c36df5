/** Rows of the usage history as the series of a chart. */
import type { Schemas } from '../../api/client.js';
import type { Series } from '../../ui/chart-data.js';

/** A series for each action, with a value for each day. */
export function seriesByAction(rows: readonly Schemas['HistoryRow'][], days: readonly string[]): Series[] {
  const actions = new Map<string, Map<string, number>>();
  for (const { action = '', bucket, units } of rows) {
    const byDay = actions.get(action) ?? new Map<string, number>();
    byDay.set(bucket, (byDay.get(bucket) ?? 0) + units);
    actions.set(action, byDay);
  }
  return [...actions].map(([name, byDay]) => ({ name, values: days.map((one) => byDay.get(one) ?? 0) }));
}
