/** What is consumed and held now: by quota, for the org, its groups and its users. */
import Type from 'typebox';
import { figuresOf, instant, type LimitLine, parseLine, quotaOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, numberIn, readOrg, type Tables, withTables } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { matches, pageOf } from '../http/paging.js';
import { Paging, Search } from '../http/validate.js';
import { orgLines, poolView } from '../plans/pools.js';
import { Scope, UsageList } from './schemas.js';

const ListQuery = {
  ...Paging,
  ...Search,
  quota: Type.Optional(Type.String()),
  scope: Type.Optional(Scope),
};
type ListQuery = MembersOf<typeof ListQuery>;

export const USAGE_ENDPOINTS = [
  endpoint({
    id: 'getUsage',
    method: 'GET',
    path: '/orgs/:org/usage',
    summary: 'List what is consumed and held now, by quota, user and group',
    roles: READERS,
    query: ListQuery,
    answers: { 200: UsageList },
    handle: async (admin, { params, query }) => ok(await listUsage(admin, params.org, query)),
  }),
];

/** The org's figures are current; those of users and groups are from a copy. */
async function listUsage(admin: Admin, org: string, query: ListQuery) {
  const { quotas, snapshots } = admin;
  const view = await readOrg(admin, org, orgLines(quotas));
  const { start } = view.cycle;
  const { tables, ageMs } = await snapshots.tables(org, [`consumed:${start}`, `held:${start}`]);
  const copy = withTables(view, tables);
  const page = await pageOf(
    {
      rows: rowsOf(tables, start),
      id: ({ field }: LimitLine) => field,
      accept: (line: LimitLine) => quotas.has(line.quota) && accepts(query, line),
      ranks: {
        id: ({ field }: LimitLine) => field,
        consumed: ({ field }: LimitLine) => numberIn(tables, `consumed:${start}`, field),
        held: ({ field }: LimitLine) => numberIn(tables, `held:${start}`, field),
      },
    },
    query,
  );
  const items = page.rows.map(({ quota, scope, subject, field }) => {
    const { decimals } = quotaOf(view, quota);
    const { consumed, held } = figuresOf(copy, field);
    const shown = { scope, id: scope === 'user' ? userIdOf(subject) : subject };
    return {
      quota,
      ...shown,
      consumed: formatUnits(consumed, decimals),
      held: formatUnits(held, decimals),
    };
  });
  const pools = [...view.pools].map(([quota, pool]) => {
    const { consumed, held, pool: units, remaining } = poolView(view, quota, pool);
    return { quota, consumed, held, pool: units, remaining };
  });
  const cycle = { start: instant(start), end: instant(view.cycle.end) };
  return { cycle, org: pools, items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

/** A line may have units held before it has any consumed. */
function* rowsOf(tables: Tables, start: number): Generator<LimitLine> {
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

function accepts(query: ListQuery, { quota, scope, subject }: LimitLine): boolean {
  if (query.quota !== undefined && query.quota !== quota) return false;
  if (query.scope !== undefined && query.scope !== scope) return false;
  return matches(query.q, scope === 'user' ? userIdOf(subject) : subject);
}
