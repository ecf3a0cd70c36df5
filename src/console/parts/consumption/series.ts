/** Rows of the usage history as the series of a chart. */
import type { Schemas } from '../../api/client.js';
import type { Series } from '../../ui/chart-data.js';

export type HistoryRow = Schemas['HistoryRow'];

interface SeriesReading {
  /** Rows with the same one are one series. */
  readonly nameOf: (row: HistoryRow) => string;
  readonly amountOf: (row: HistoryRow) => number;
}

/** A series for each name, with a value for each bucket of time. */
export function seriesOf(
  rows: readonly HistoryRow[],
  buckets: readonly string[],
  { nameOf, amountOf }: SeriesReading,
): Series[] {
  const all = new Map<string, Map<string, number>>();
  for (const row of rows) {
    const name = nameOf(row);
    const values = all.get(name) ?? new Map<string, number>();
    values.set(row.bucket, (values.get(row.bucket) ?? 0) + amountOf(row));
    all.set(name, values);
  }
  return [...all].map(([name, values]) => ({ name, values: buckets.map((one) => values.get(one) ?? 0) }));
}

/** A series for each action, with a value for each day. */
export function seriesByAction(rows: readonly HistoryRow[], days: readonly string[]): Series[] {
  return seriesOf(rows, days, { nameOf: ({ action = '' }) => action, amountOf: ({ units }) => units });
}
