/** Groups as people read them: members counted, limits and combined consumption per quota. */
import { decodeGroup, encodeGroup, type Group, memberCountField } from '../../ledger/codec.js';
import type { Want } from '../../ledger/port.js';
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
import { memberCount } from '../users/members.js';

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

export async function listGroups(admin: Admin, org: string, query: PageQuery & { readonly q?: string }) {
  const view = await readOrg(admin, org);
  const { start } = view.cycle;
  const names = ['records', 'groups', 'limits', `consumed:${start}`, `held:${start}`] as const;
  const { tables, ageMs } = await admin.snapshots.tables(org, names);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: GroupRow) => id,
      accept: ({ id, group }: GroupRow) => group.alive && matches(query.q, id, group.name),
      ranks: {
        id: ({ id }: GroupRow) => id,
        name: ({ group }: GroupRow) => group.name.toLowerCase(),
        members: ({ id, group }: GroupRow) => countOf(tables, id, group),
      },
    },
    query,
  );
  const copy = withTables(view, tables);
  const items = page.rows.map(({ id, group }) => groupView(copy, id, group));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function* rowsOf(tables: Tables): Generator<GroupRow> {
  for (const [id, text] of fieldsOf(tables, 'groups')) yield { id, group: decodeGroup(text) };
}

export async function readGroup(admin: Admin, org: string, id: string) {
  // The number of members belongs to the group's generation.
  const first = await readOrg(admin, org, [{ table: 'groups', fields: [id] }]);
  const { wants, show } = shownGroup(admin, id, present(first.tables, id));
  return show(await readOrg(admin, org, wants));
}

/** What to read to show a group of this generation. */
export function shownGroup({ quotas }: Admin, id: string, { generation }: Pick<Group, 'generation'>) {
  const fields = [...quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  return {
    wants: (start: number): Want[] => [
      { table: 'groups', fields: [id] },
      { table: 'records', fields: [memberCountField({ group: id, generation })] },
      { table: 'limits', fields },
      { table: `consumed:${start}`, fields },
      { table: `held:${start}`, fields },
    ],
    show: (view: OrgView) => groupView(view, id, present(view.tables, id)),
  };
}

/** Throws if the group does not exist. */
export function present(tables: Tables, id: string): Group {
  const group = groupIn(tables, id);
  if (group === undefined) throw notFound(`group ${id}`);
  return group;
}

function countOf(tables: Tables, id: string, { generation }: Group): number {
  return memberCount(tables, { group: id, generation });
}

export type GroupView = ReturnType<typeof groupView>;

function groupView(view: OrgView, id: string, group: Group) {
  const count = countOf(view.tables, id, group);
  const views: Record<string, ReturnType<typeof quotaView>> = {};
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
