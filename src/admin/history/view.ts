/** Rows and sums of the history as the API shows them. */
import {
  type Dimension,
  type HistoryQuery,
  type HistoryRow,
  isNothing,
  queryHistory,
  type Refused,
} from '../../history/query.js';
import type { SummedUser, SummedUsers, UserSum } from '../../history/user-sums.js';
import { quotaOf } from '../../ledger/view/limit-lines.js';
import { userIdOf } from '../../quota/id.js';
import { formatUnits, type Quotas } from '../../quota/units.js';
import type { Admin } from '../admin.js';
import { pageOf } from '../http/paging.js';
import { Turns } from '../http/turns.js';
import { NONE } from './range.js';

export interface Figures {
  readonly quota: string;
  readonly units: number;
  readonly raw: number;
  readonly refused: Refused;
}

/** Rows of quotas that the config has: amounts of others have no scale any more. */
export async function rowsOf({ history, quotas }: Admin, query: HistoryQuery): Promise<HistoryRow[]> {
  return (await queryHistory(history, query)).filter(({ at }) => quotas.has(at.quota));
}

export function figuresOf(quotas: Quotas, { at: { quota }, units, raw, refused }: HistoryRow): Figures {
  return amountsOf(quotas, { quota, units, raw, refused });
}

export function amountsOf(quotas: Quotas, { quota, units, raw, refused }: Figures): Figures {
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

interface UsersByShare {
  readonly users: readonly SummedUser[];
  readonly total: number;
}

/** The first users in the order of their share of what all of them consumed, and how many there are. */
export async function usersByShare(quotas: Quotas, summed: SummedUsers, most: number): Promise<UsersByShare> {
  const isShown = (sum: UserSum): boolean => quotas.has(sum.quota) && !isNothing(sum);
  const totals = await unitsOf(summed);
  const share = ({ sums }: SummedUser): number =>
    sums
      .filter(isShown)
      .reduce((sum, { quota, units }) => sum + units / Math.max(1, totals.get(quota) ?? 1), 0);
  let total = 0;
  const accept = ({ sums }: SummedUser): boolean => {
    if (!sums.some(isShown)) return false;
    total += 1;
    return true;
  };
  const ranks = { share: (user: SummedUser) => -share(user) };
  const rows = summed.values();
  const page = await pageOf({ rows, id: ({ user }: SummedUser) => user, accept, ranks }, { pageSize: most });
  const users = page.rows.map(({ user, sums }) => ({ user, sums: sums.filter(isShown) }));
  return { users, total };
}

/** By quota. */
async function unitsOf(summed: SummedUsers): Promise<ReadonlyMap<string, number>> {
  const totals = new Map<string, number>();
  const turns = new Turns();
  for (const { sums } of summed.values()) {
    if (turns.isDue()) await turns.next();
    for (const { quota, units } of sums) totals.set(quota, (totals.get(quota) ?? 0) + units);
  }
  return totals;
}
