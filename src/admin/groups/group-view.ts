/** Groups as people read them: members counted, limits and combined consumption per quota. */
import { decodeGroup, encodeGroup, type Group } from '../../ledger/codec.js';
import { figuresOf, limitIn, limitStanding, lineTo, quotaOf } from '../../ledger/view/limit-lines.js';
import {
  fieldsOf,
  type OrgView,
  readOrg,
  type Tables,
  textIn,
  withTables,
} from '../../ledger/view/org-view.js';
import { lineOf } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
import type { Admin } from '../admin.js';
import { etagOf } from '../http/etag.js';
import { matches, type PageQuery, pageOf } from '../http/paging.js';
import { notFound } from '../http/problems.js';
import { capOut, figuresOut } from '../limits/limit-view.js';
import { memberCounts } from '../users/members.js';

/** The group, unless it was deleted. */
export function groupIn(tables: Tables, id: string): Group | undefined {
  const text = textIn(tables, 'groups', id);
  const group = text === undefined ? undefined : decodeGroup(text);
  return group?.alive === true ? group : undefined;
}

export function etagOfGroup(id: string, group: Group): string {
  return etagOf('group', id, encodeGroup(group));
}

interface GroupRow {
  readonly id: string;
  readonly group: Group;
}

export async function listGroups(
  { ledger, quotas, snapshots }: Admin,
  org: string,
  query: PageQuery & { readonly q?: string },
) {
  const view = await readOrg(ledger, quotas, org);
  const { start } = view.cycle;
  const names = ['members', 'groups', 'limits', `consumed:${start}`, `held:${start}`] as const;
  const { tables, ageMs } = await snapshots.tables(org, names);
  const counts = await memberCounts(tables);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: GroupRow) => id,
      accept: ({ id, group }: GroupRow) => group.alive && matches(query.q, id, group.name),
      ranks: {
        id: ({ id }: GroupRow) => id,
        name: ({ group }: GroupRow) => group.name.toLowerCase(),
        members: ({ id, group }: GroupRow) => counts(id, group.generation),
      },
    },
    query,
  );
  const copy = withTables(view, tables);
  const items = page.rows.map(({ id, group }) => groupView(copy, id, group, counts(id, group.generation)));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function* rowsOf(tables: Tables): Generator<GroupRow> {
  for (const [id, text] of fieldsOf(tables, 'groups')) yield { id, group: decodeGroup(text) };
}

/** The group and its figures as they are now; only the number of members is from a copy. */
export async function readGroup({ ledger, quotas, snapshots }: Admin, org: string, id: string) {
  const fields = [...quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  const view = await readOrg(ledger, quotas, org, (start) => [
    { table: 'groups', fields: [id] },
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ]);
  const group = groupIn(view.tables, id);
  if (group === undefined) throw notFound(`group ${id}`);
  const { tables } = await snapshots.tables(org, ['members']);
  const counts = await memberCounts(tables);
  return groupView(view, id, group, counts(id, group.generation));
}

function groupView(view: OrgView, id: string, group: Group, count: number) {
  const views: Record<string, unknown> = {};
  for (const quota of view.quotas.keys()) views[quota] = quotaView(view, quota, id);
  return { id, name: group.name, members: count, quotas: views, etag: etagOfGroup(id, group) };
}

function quotaView(view: OrgView, quota: string, id: string) {
  const definition = quotaOf(view, quota);
  const line = lineTo(quota, 'group', id);
  const limit = limitIn(view.tables, line.field);
  if (limit === undefined) {
    const { consumed, held } = figuresOf(view, line.field);
    const { decimals } = definition;
    return { limit: null, consumed: formatUnits(consumed, decimals), held: formatUnits(held, decimals) };
  }
  const standing = limitStanding(view, line, limit);
  const figures = figuresOut(standing, definition);
  return { limit: line.field, ...capOut(limit, definition), ...figures, shadow: limit.shadow };
}
