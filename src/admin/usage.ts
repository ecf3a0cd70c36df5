/** What is consumed and held now: by quota, for the org, its groups and its users. */
import Type, { type Static } from 'typebox';
import { fieldsOf, numberIn, openBook, over, type Tables } from '../ledger/view/book.js';
import { figuresOf, instant, type Line, parseLine, quotaOf } from '../ledger/view/lines.js';
import { userOfToken } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { matches, pageOf } from './paging.js';
import { orgLines, poolView } from './pools.js';
import { members, Paging, path, Search } from './validate.js';

const ListQuery = members({
  ...Paging,
  ...Search,
  quota: Type.Optional(Type.String()),
  scope: Type.Optional(Type.Enum(['user', 'group'])),
});

export function usageRoutes(app: App, admin: Admin): void {
  const schema = { params: path('org'), querystring: ListQuery };
  app.get('/orgs/:org/usage', { schema }, async (request) => {
    return listUsage(admin, request.params.org, request.query);
  });
}

/** The org's figures are live; those of users and groups are from a copy. */
async function listUsage({ ledger, quotas, snapshots }: Admin, org: string, query: Static<typeof ListQuery>) {
  const book = await openBook(ledger, quotas, org, orgLines(quotas));
  const { start } = book.cycle;
  const { tables, ageMs } = await snapshots.tables(org, [`consumed:${start}`, `held:${start}`]);
  const copy = over(book, tables);
  const page = await pageOf(
    {
      rows: rowsOf(tables, start),
      id: ({ field }: Line) => field,
      accept: (line: Line) => quotas.has(line.quota) && accepts(query, line),
      ranks: {
        id: ({ field }: Line) => field,
        consumed: ({ field }: Line) => numberIn(tables, `consumed:${start}`, field),
        held: ({ field }: Line) => numberIn(tables, `held:${start}`, field),
      },
    },
    query,
  );
  const items = page.rows.map(({ quota, scope, token, field }) => {
    const { decimals } = quotaOf(book, quota);
    const { consumed, held } = figuresOf(copy, field);
    const subject = { scope, id: scope === 'user' ? userOfToken(token) : token };
    return {
      quota,
      ...subject,
      consumed: formatUnits(consumed, decimals),
      held: formatUnits(held, decimals),
    };
  });
  const pools = [...book.pools].map(([quota, pool]) => {
    const { consumed, held, pool: units, remaining } = poolView(book, quota, pool);
    return { quota, consumed, held, pool: units, remaining };
  });
  const cycle = { start: instant(start), end: instant(book.cycle.end) };
  return { cycle, org: pools, items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

/** A line may have units held before it has any consumed. */
function* rowsOf(tables: Tables, start: number): Generator<Line> {
  const consumed = fieldsOf(tables, `consumed:${start}`);
  for (const field of consumed.keys()) {
    const line = parseLine(field);
    if (line !== undefined && line.scope !== 'org') yield line;
  }
  for (const field of fieldsOf(tables, `held:${start}`).keys()) {
    const line = consumed.has(field) ? undefined : parseLine(field);
    if (line !== undefined && line.scope !== 'org') yield line;
  }
}

function accepts(query: Static<typeof ListQuery>, { quota, scope, token }: Line): boolean {
  if (query.quota !== undefined && query.quota !== quota) return false;
  if (query.scope !== undefined && query.scope !== scope) return false;
  return matches(query.q, scope === 'user' ? userOfToken(token) : token);
}
