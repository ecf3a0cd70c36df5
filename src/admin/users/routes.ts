/** Users: list, add, show, change, remove. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import type { Member, Membership, UserStatus } from '../../ledger/codec.js';
import type { Change, Want } from '../../ledger/port.js';
import { type OrgView, readOrg, type Tables, withTables } from '../../ledger/view/org-view.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { lineOf, userIdOf, userKeyOf } from '../../quota/id.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import { created, done, endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { pageOf, type Rank } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { Email, Id, members, Name, Paging, Reason, Search, Title } from '../http/validate.js';
import { allCapSums } from '../limits/caps.js';
import type { UserRow } from '../snapshots/user-rows.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { memberChange, memberIn } from './members.js';
import { type Profile, profileField, profileIn } from './profile.js';
import { UserList, UserStatus as UserStatuses, UserView } from './schemas.js';
import { etagOfUser, userTables, userView } from './user-view.js';

const UserFields = {
  name: Type.Optional(Title),
  email: Type.Optional(Email),
  role: Type.Optional(Title),
  status: Type.Optional(UserStatuses),
  groups: Type.Optional(Type.Array(Name, { maxItems: GROUPS_MAX, uniqueItems: true })),
  reason: Reason,
};

const NewUser = members({ id: Id, ...UserFields });
const UserPatch = members(UserFields);
type UserPatch = Static<typeof UserPatch>;

const ListQuery = {
  ...Paging,
  ...Search,
  status: Type.Optional(UserStatuses),
  role: Type.Optional(Type.String()),
  group: Type.Optional(Type.String()),
};
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listUsers',
  method: 'GET',
  path: '/orgs/:org/users',
  summary: 'List users, with cap, consumed and left of each quota',
  roles: READERS,
  query: ListQuery,
  answers: { 200: UserList },
  handle: async (admin, { params, query }) => ok(await listUsers(admin, params.org, query)),
});

const add = endpoint({
  id: 'addUser',
  method: 'POST',
  path: '/orgs/:org/users',
  summary: 'Add a user',
  roles: MANAGERS,
  body: NewUser,
  example: { id: 'eve', name: 'Eve Jones', email: 'eve@example.com' },
  answers: { 201: UserView },
  errors: ['already-exists', 'seats-taken'],
  handle: async (admin, request) => {
    const { body, params } = request;
    const userKey = userKeyOf(body.id);
    if (userKey === undefined) throw invalid('id', 'must be at most 256 bytes of valid Unicode');
    const view = await addUser(admin, writeContext(request, body.reason), { ...body, userKey });
    return created(`/v1/orgs/${params.org}/users/${encodeURIComponent(body.id)}`, view);
  },
});

const show = endpoint({
  id: 'getUser',
  method: 'GET',
  path: '/orgs/:org/users/:user',
  summary: 'Show a user',
  roles: READERS,
  answers: { 200: UserView },
  handle: async (admin, { params }) => ok(await readUser(admin, params.org, params.user)),
});

const change = endpoint({
  id: 'changeUser',
  method: 'PATCH',
  path: '/orgs/:org/users/:user',
  summary: 'Change a user: profile, status or groups',
  roles: MANAGERS,
  body: UserPatch,
  example: { role: 'engineer' },
  answers: { 200: UserView },
  errors: ['seats-taken'],
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params } = request;
    const context = writeContext(request, body.reason);
    return ok(await patchUser(admin, context, { user: params.user, patch: body }));
  },
});

const remove = endpoint({
  id: 'removeUser',
  method: 'DELETE',
  path: '/orgs/:org/users/:user',
  summary: 'Remove a user: what the user consumed stays counted',
  roles: MANAGERS,
  query: { reason: Reason },
  answers: { 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const context = writeContext(request, request.query.reason);
    await patchUser(admin, context, { user: request.params.user, patch: { status: 'removed' } });
    return done();
  },
});

export const USER_ENDPOINTS = [list, add, show, change, remove];

async function readUser(admin: Admin, org: string, user: string) {
  const userKey = userKeyOfPath(user);
  const first = await readOrg(admin, org, userWants(userKey, []));
  const { wants, show } = shownUser(admin, userKey, memberIn(first.tables, userKey)?.groups ?? []);
  return show(await readOrg(admin, org, wants));
}

/** What to read to show a user in these groups. */
function shownUser(admin: Admin, userKey: string, memberships: Member['groups']) {
  const groups = memberships.map(({ group }) => group);
  return {
    wants: (start: number): Want[] => [
      ...userWants(userKey, groups),
      ...lineWants(admin, start, { userKey, groups }),
    ],
    show: (view: OrgView) => {
      const member = memberIn(view.tables, userKey);
      if (member === undefined) throw notFound(`user ${userIdOf(userKey)}`);
      return userView(view, userKey, member);
    },
  };
}

type Shown = ReturnType<typeof userView>;

function userKeyOfPath(user: string): string {
  const userKey = userKeyOf(user);
  if (userKey === undefined) throw notFound(`user ${user}`);
  return userKey;
}

export function userWants(userKey: string, groups: readonly string[]): Want[] {
  return [
    { table: 'members', fields: [userKey] },
    { table: 'records', fields: [profileField(userKey)] },
    { table: 'groups', fields: groups },
  ];
}

interface Subjects {
  readonly userKey: string;
  readonly groups: readonly string[];
}

/** Limits and figures of the user, their groups and the org, for every quota. */
function lineWants({ quotas }: Admin, start: number, { userKey, groups }: Subjects): Want[] {
  const fields = [...quotas.keys()].flatMap((quota) => [
    lineOf(quota, 'user', userKey),
    ...groups.map((group) => lineOf(quota, 'group', group)),
    lineOf(quota, 'org', ''),
  ]);
  return [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}

async function listUsers(admin: Admin, org: string, query: ListQuery) {
  const view = await readOrg(admin, org);
  const { tables, users, ageMs } = await admin.snapshots.users(org, userTables(view.cycle.start));
  const copy = withTables(view, tables);
  const page = await pageOf(
    {
      rows: users.values(),
      id: ({ userKey }: UserRow) => userKey,
      accept: acceptance(tables, query),
      ranks: ranksOf(admin),
    },
    query,
  );
  const items = page.rows.map(({ userKey, member }) => userView(copy, userKey, member));
  return { items, cursor: page.cursor, caps: await allCapSums(copy), snapshotAgeMs: ageMs };
}

/** Removed users are listed only on request. */
function acceptance(tables: Tables, { status, role, group, q }: ListQuery): (row: UserRow) => boolean {
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
  };
  for (const [index, quota] of [...quotas.keys()].entries())
    ranks[`consumed:${quota}`] = ({ consumed }) => consumed[index] ?? 0;
  return ranks;
}

async function addUser(
  admin: Admin,
  context: WriteContext,
  user: Static<typeof NewUser> & { readonly userKey: string },
): Promise<Shown> {
  const { id, userKey, name = '', email = '', role = '', status = 'active', groups = [] } = user;
  const decide = (view: OrgView): WritePlan<Shown> => {
    if (memberIn(view.tables, userKey) !== undefined)
      throw new ProblemError(
        'already-exists',
        `The user ${id} already exists; to restore a removed user, change the status`,
      );
    const member: Member = { status, groups: membershipsIn(view.tables, groups) };
    const profile = profileText({ name, email, role, createdAt: view.now });
    const changes: Change[] = [
      ...seatChange(view, undefined, status),
      ...memberChange(userKey, undefined, member),
      { set: 'records', field: profileField(userKey), value: profile },
    ];
    const to = { name, email, role, status, groups };
    const auditEvent = { action: 'user.add', subject: `user:${id}`, to };
    return { changes, auditEvent, ...shownUser(admin, userKey, member.groups) };
  };
  return changeOrg(admin, context, { reads: userWants(userKey, groups), decide });
}

function profileText({ name, email, role, createdAt }: Profile): string {
  return JSON.stringify({ name, email, role, createdAt });
}

function membershipsIn(tables: Tables, groups: readonly string[]): Member['groups'] {
  return groups.map((id) => {
    const group = groupIn(tables, id);
    if (group === undefined) throw invalid('groups', `group ${id} not found`);
    return { group: id, generation: group.generation };
  });
}

/** Becoming active takes a seat, and leaving that status frees it. */
export function seatChange(view: OrgView, before: UserStatus | undefined, after: UserStatus): Change[] {
  const by = Number(after === 'active') - Number(before === 'active');
  if (by > 0 && view.seats !== undefined && view.seatsUsed >= view.seats)
    throw new ProblemError('seats-taken', `All ${view.seats} seats are taken`);
  return by === 0 ? [] : [{ incr: 'org', field: 'seatsUsed', by, most: by > 0 ? view.seats : undefined }];
}

async function patchUser(
  admin: Admin,
  context: WriteContext,
  { user, patch }: { readonly user: string; readonly patch: UserPatch },
): Promise<Shown> {
  const userKey = userKeyOfPath(user);
  const decide = (view: OrgView): WritePlan<Shown> => {
    const { tables } = view;
    const before = memberIn(tables, userKey);
    if (before === undefined) throw notFound(`user ${user}`);
    checkMatch(context.ifMatch, etagOfUser(tables, userKey, before));
    const profile = profileIn(tables, userKey);
    const after: Member = {
      status: patch.status ?? before.status,
      groups: patch.groups === undefined ? before.groups : membershipsIn(tables, patch.groups),
    };
    const { name = profile.name, email = profile.email, role = profile.role } = patch;
    const changed = { ...profile, name, email, role };
    const changes = [...memberChange(userKey, before, after), ...profileChange(userKey, profile, changed)];
    const shown = shownUser(admin, userKey, after.groups);
    if (changes.length === 0) return { changes, ...shown };
    changes.push(...seatChange(view, before.status, after.status));
    const [from, to] = [snapshot(before, profile), snapshot(after, changed)];
    return { changes, auditEvent: { action: 'user.change', subject: `user:${user}`, from, to }, ...shown };
  };
  return changeOrg(admin, context, { reads: userWants(userKey, patch.groups ?? []), decide });
}

/** `before`: undefined for a new user. */
export function profileChange(userKey: string, before: Profile | undefined, after: Profile): Change[] {
  const value = profileText(after);
  return before !== undefined && value === profileText(before)
    ? []
    : [{ set: 'records', field: profileField(userKey), value }];
}

/** For the audit log. */
export function snapshot({ status, groups }: Member, { name, email, role }: Profile) {
  return { name, email, role, status, groups: groups.map(({ group }) => group) };
}
