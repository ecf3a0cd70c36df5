/** Rows of the history as the API shows them. */
import {
  type Dimension,
  type HistoryQuery,
  type HistoryRow,
  queryHistory,
  type Refused,
} from '../../history/query.js';
import { quotaOf } from '../../ledger/view/limit-lines.js';
import { userIdOf } from '../../quota/id.js';
import { formatUnits, type Quotas } from '../../quota/units.js';
import type { Admin } from '../admin.js';
import { NONE } from './range.js';

export interface Figures {
  readonly quota: string;
  readonly units: number;
  readonly raw: number;
  readonly refused: Refused;
}

/** Rows of quotas that the config has: amounts of others have no scale any more. */
export async function rowsOf({ ledger, quotas }: Admin, query: HistoryQuery): Promise<HistoryRow[]> {
  return (await queryHistory(ledger, query)).filter(({ at }) => quotas.has(at.quota));
}

export function figuresOf(quotas: Quotas, { at: { quota }, units, raw, refused }: HistoryRow): Figures {
  const { decimals } = quotaOf({ quotas }, quota);
  return { quota, units: formatUnits(units, decimals), raw: formatUnits(raw, decimals), refused };
}

/** The value of a dimension, as people write it. */
export function shownAt({ at }: HistoryRow, dimension: Dimension): string {
  const value = at[dimension] ?? '';
  if (dimension === 'user' || dimension === 'model') return value === '' ? NONE : userIdOf(value);
  return value === '' ? NONE : value;
}

/** Adds to each row the sum of the rows of its series so far. Rows are in the order of time. */
export function withSums<Row extends { readonly units: number }>(
  rows: readonly Row[],
  seriesOf: (row: Row) => string,
): (Row & { cumulative: number })[] {
  const sums = new Map<string, number>();
  return rows.map((row) => {
    const series = seriesOf(row);
    const sum = (sums.get(series) ?? 0) + row.units;
    sums.set(series, sum);
    return { ...row, cumulative: sum };
  });
}

/** Sums of rows by quota. */
export function totalsOf(rows: readonly HistoryRow[]): HistoryRow[] {
  const totals = new Map<string, HistoryRow>();
  for (const { at, units, raw, refused } of rows) {
    let total = totals.get(at.quota);
    if (total === undefined) {
      const none = { user: 0, group: 0, org: 0 };
      total = { bucket: '', at: { quota: at.quota }, units: 0, raw: 0, refused: none };
      totals.set(at.quota, total);
    }
    total.units += units;
    total.raw += raw;
    for (const scope of ['user', 'group', 'org'] as const) total.refused[scope] += refused[scope];
  }
  return [...totals.values()];
}

/** Users in the order of their share of what all of them consumed. */
export function usersByShare(rows: readonly HistoryRow[]): [user: string, rows: HistoryRow[]][] {
  const totals = new Map(totalsOf(rows).map((total) => [total.at.quota, total.units]));
  const users = new Map<string, HistoryRow[]>();
  for (const row of rows) {
    const user = row.at.user ?? '';
    const own = users.get(user);
    if (own === undefined) users.set(user, [row]);
    else own.push(row);
  }
  const share = (own: readonly HistoryRow[]): number =>
    own.reduce((sum, { at, units }) => sum + units / Math.max(1, totals.get(at.quota) ?? 1), 0);
  const ranked = [...users].map(([user, own]) => ({ user, own, rank: share(own) }));
  ranked.sort((a, b) => b.rank - a.rank || (a.user < b.user ? -1 : 1));
  return ranked.map(({ user, own }) => [user, own]);
}
