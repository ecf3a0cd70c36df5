/** The list of users: filtered and sorted over the whole org, from a copy. */
import Type from 'typebox';
import type { Membership } from '../../ledger/codec.js';
import { readOrg, type Tables, withTables } from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import type { MembersOf } from '../http/endpoint.js';
import { pageOf, type Rank } from '../http/paging.js';
import { Paging, Search } from '../http/validate.js';
import { allCapSums } from '../limits/caps.js';
import type { UserRow, UserRows } from '../snapshots/user-rows.js';
import { UserStatus } from './schemas.js';
import { activeTimes, lastActiveOf, userTables, userView } from './user-view.js';

/** The order that the history decides. */
const LAST_ACTIVE = 'lastActiveAt';

const FOUND_MAX = 1_000;

/** The query of the members of a group. */
export const MemberQuery = {
  ...Paging,
  ...Search,
  status: Type.Optional(UserStatus),
  role: Type.Optional(Type.String()),
};

export const UserQuery = { ...MemberQuery, group: Type.Optional(Type.String()) };
type UserQuery = MembersOf<typeof UserQuery>;

export async function listUsers(admin: Admin, org: string, query: UserQuery) {
  const view = await readOrg(admin, org);
  const { tables, users, limits, ageMs } = await admin.snapshots.users(org, userTables(view.cycle.start));
  const copy = withTables(view, tables);
  if (query.sort?.replace(/^-/, '') === LAST_ACTIVE)
    await users.readActive(view.now, (userKeys) => activeTimes(admin, view, userKeys));
  const found = await searchedRows(users, query);
  const page = await pageOf<UserRow>(
    {
      rows: found ?? [],
      id: ({ userKey }) => userKey,
      accept: acceptance(tables, query),
      ranks: ranksOf(admin),
      ...(found === undefined ? { sorted: (name, rank) => users.sorted(name, rank) } : {}),
    },
    query,
  );
  const activeOf = await lastActiveOf(
    admin,
    view,
    page.rows.map(({ userKey }) => userKey),
  );
  const items = page.rows.map(({ userKey, member }) => ({
    ...userView(copy, userKey, member),
    ...activeOf(userKey),
  }));
  return { items, cursor: page.cursor, caps: await allCapSums(copy, limits.values()), snapshotAgeMs: ageMs };
}

/** Few rows are sorted for each page; undefined: no search, or it finds so many that a page of the sorted rows is soon full. */
async function searchedRows(users: UserRows, { q }: UserQuery): Promise<readonly UserRow[] | undefined> {
  return q === undefined || q === '' ? undefined : users.search(q.toLowerCase(), FOUND_MAX);
}

/** Removed users are listed only on request. */
function acceptance(tables: Tables, { status, role, group, q }: UserQuery): (row: UserRow) => boolean {
  const sought = q?.toLowerCase() ?? '';
  const generation = group === undefined ? undefined : groupIn(tables, group)?.generation;
  const inGroup = (one: Membership): boolean => one.group === group && one.generation === generation;
  return ({ member, profile, sought: text }) => {
    if (status === undefined ? member.status === 'removed' : member.status !== status) return false;
    if (role !== undefined && profile.role !== role) return false;
    if (group !== undefined && !member.groups.some(inGroup)) return false;
    return sought === '' || text.includes(sought);
  };
}

function ranksOf({ quotas }: Admin): Record<string, (row: UserRow) => Rank> {
  const ranks: Record<string, (row: UserRow) => Rank> = {
    id: ({ userKey }) => userKey,
    name: ({ profile }) => profile.name.toLowerCase(),
    email: ({ profile }) => profile.email.toLowerCase(),
    role: ({ profile }) => profile.role.toLowerCase(),
    status: ({ member }) => member.status,
    createdAt: ({ profile }) => profile.createdAt ?? 0,
    [LAST_ACTIVE]: ({ activeAt }) => activeAt,
  };
  for (const [index, quota] of [...quotas.keys()].entries())
    ranks[`consumed:${quota}`] = ({ consumed }) => consumed[index] ?? 0;
  return ranks;
}
