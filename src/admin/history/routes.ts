/** The usage history: by time, and by quota, user, group, action, model and API key; live to the last request. */
import { Readable } from 'node:stream';
import Type from 'typebox';
import type { HistoryQuery, HistoryRow } from '../../history/query.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { readOrg } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { CSV_HEADERS, type CsvCell, csvLine } from '../http/csv.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { historyQueryOf, NONE, RangeQuery } from './range.js';
import { UsageHistory } from './schemas.js';
import { amountsOf, figuresOf, rowsOf, shownAt, totalsOf, usersByShare, withSums } from './view.js';

const USERS_MAX = 500;
const USERS = 50;
/** A larger answer comes as CSV. */
const JSON_ROWS_MAX = 10_000;
const LINES_A_CHUNK = 500;

const HistoryParams = {
  ...RangeQuery,
  users: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: USERS_MAX,
      description: `How many users are listed; ${USERS} if left out`,
    }),
  ),
};
type HistoryParams = MembersOf<typeof HistoryParams>;

const asJson = endpoint({
  id: 'getUsageHistory',
  method: 'GET',
  path: '/orgs/:org/usage/history',
  summary: 'Consumption and refused requests over time, by quota, user, group, action, model and API key',
  roles: READERS,
  query: HistoryParams,
  answers: { 200: UsageHistory },
  handle: async (admin, { params, query }) => ok(await historyOf(admin, params.org, query)),
});

const asCsv = endpoint({
  id: 'exportUsageHistory',
  method: 'GET',
  path: '/orgs/:org/usage/history.csv',
  summary: 'The rows of the usage history as CSV',
  roles: READERS,
  query: RangeQuery,
  answers: { 200: Type.String() },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    const asked = historyQueryOf(admin, view, query);
    const rows = await rowsOf(admin, asked);
    const chunks = csvChunks(admin, asked, { rows, cumulative: query.cumulative === true });
    // The schema of the answer is its text; a stream of it is the same to the client.
    return { status: 200, body: Readable.from(chunks) as unknown as string, headers: CSV_HEADERS };
  },
});

export const HISTORY_ENDPOINTS = [asJson, asCsv];

async function historyOf(admin: Admin, org: string, query: HistoryParams) {
  const { quotas } = admin;
  const view = await readOrg(admin, org);
  const asked = historyQueryOf(admin, view, query);
  const isDetailed = query.by !== undefined || asked.groupBy.length > 0;
  const rows = isDetailed ? await rowsOf(admin, asked) : [];
  if (rows.length > JSON_ROWS_MAX)
    throw invalid(
      'groupBy',
      `${rows.length} rows, at most ${JSON_ROWS_MAX}: ask for less, or for history.csv`,
    );
  const days = await rowsOf(admin, { ...asked, by: 'day', groupBy: [] });
  const { users, usersTotal } = await topUsers(admin, asked, query.users ?? USERS);
  const daily = days.map((row) => ({ day: row.bucket, ...figuresOf(quotas, row) }));
  const shown = rows.map((row) => rowView(admin, asked, row));
  const isCumulative = query.cumulative === true;
  return {
    period: {
      from: asked.from,
      to: asked.to,
      start: asked.since === undefined ? null : instant(asked.since),
      timeZone: view.rule.timeZone,
      by: asked.by,
    },
    summary: totalsOf(days).map((total) => figuresOf(quotas, total)),
    users,
    usersTotal,
    daily: isCumulative ? withSums(daily, ({ quota }) => quota) : daily,
    rows: isCumulative ? withSums(shown, (row) => seriesOf(asked, row)) : shown,
  };
}

type RowView = ReturnType<typeof rowView>;

function rowView({ quotas }: Admin, { groupBy }: HistoryQuery, row: HistoryRow) {
  const dimensions = groupBy.filter((dimension) => dimension !== 'quota');
  const named = Object.fromEntries(dimensions.map((dimension) => [dimension, shownAt(row, dimension)]));
  return { bucket: row.bucket, ...named, ...figuresOf(quotas, row) };
}

function seriesOf({ groupBy }: HistoryQuery, row: RowView): string {
  return JSON.stringify([
    row.quota,
    ...groupBy.map((dimension) => (row as Record<string, unknown>)[dimension]),
  ]);
}

async function topUsers(admin: Admin, asked: HistoryQuery, most: number) {
  if (most === 0) return { users: [], usersTotal: 0 };
  const { quotas, history } = admin;
  const { users, total } = await usersByShare(quotas, await history.userSums(asked), most);
  const shown = users.map(({ user, sums }) => ({
    user: user === '' ? NONE : userIdOf(user),
    quotas: sums.map((sum) => amountsOf(quotas, sum)),
  }));
  return { users: shown, usersTotal: total };
}

interface Table {
  readonly rows: readonly HistoryRow[];
  readonly cumulative: boolean;
}

function* csvChunks(admin: Admin, asked: HistoryQuery, { rows, cumulative }: Table): Generator<string> {
  const dimensions = asked.groupBy.filter((dimension) => dimension !== 'quota');
  const figures = ['quota', 'units', 'raw', 'refused_user', 'refused_group', 'refused_org'];
  yield csvLine(['bucket', ...dimensions, ...figures, ...(cumulative ? ['cumulative'] : [])]);
  const sums = new Map<string, number>();
  let chunk = '';
  for (const [index, row] of rows.entries()) {
    const shown = rowView(admin, asked, row);
    const { bucket, quota, units, raw, refused } = shown;
    const cells: CsvCell[] = [bucket, ...dimensions.map((dimension) => shownAt(row, dimension)), quota];
    cells.push(units, raw, refused.user, refused.group, refused.org);
    if (cumulative) {
      const series = seriesOf(asked, shown);
      sums.set(series, (sums.get(series) ?? 0) + units);
      cells.push(sums.get(series) ?? 0);
    }
    chunk += csvLine(cells);
    if (index % LINES_A_CHUNK !== LINES_A_CHUNK - 1) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
