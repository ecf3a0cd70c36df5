/** Users: list, add, show, change, remove. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import type { Member, UserStatus } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { type OrgView, readOrg, type Tables } from '../../ledger/view/org-view.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { userKeyOf } from '../../quota/id.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import { created, done, endpoint, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { DryRun, Email, Id, members, Name, Reason, Title } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { type AccessPreview as Preview, previewed } from './access-preview.js';
import { memberChange, memberIn } from './members.js';
import { type Profile, profileField, profileIn } from './profile.js';
import { AccessPreview, UserList, UserStatus as UserStatuses, UserView } from './schemas.js';
import { shownUser, userWants } from './shown-user.js';
import { listUsers, UserQuery } from './user-list.js';
import { etagOfUser, lastActiveOf, type userView } from './user-view.js';

const UserFields = {
  name: Type.Optional(Title),
  email: Type.Optional(Email),
  role: Type.Optional(Title),
  status: Type.Optional(UserStatuses),
  groups: Type.Optional(Type.Array(Name, { maxItems: GROUPS_MAX, uniqueItems: true })),
  reason: Reason,
};

const NewUser = members({
  id: Id,
  ...UserFields,
  mail: Type.Optional(
    Type.Boolean({ description: 'Send the invitation by mail; the user is then invited, not active' }),
  ),
});
const UserPatch = members(UserFields);
type UserPatch = Static<typeof UserPatch>;

const list = endpoint({
  id: 'listUsers',
  method: 'GET',
  path: '/orgs/:org/users',
  summary: 'List users, with cap, consumed and left of each quota',
  roles: READERS,
  query: UserQuery,
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
  summary: 'Change a user: profile, status or groups; with dryRun, say what the change would block',
  roles: MANAGERS,
  query: DryRun,
  body: UserPatch,
  example: { role: 'engineer' },
  answers: { 200: Type.Union([UserView, AccessPreview]) },
  errors: ['seats-taken'],
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params } = request;
    const context = writeContext(request, body.reason);
    const dryRun = request.query.dryRun === true;
    return ok(await patchUser(admin, context, { user: params.user, patch: body, dryRun }));
  },
});

const remove = endpoint({
  id: 'removeUser',
  method: 'DELETE',
  path: '/orgs/:org/users/:user',
  summary: 'Remove a user: the seat is free, and what the user consumed stays counted',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: AccessPreview, 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { reason, dryRun = false } = request.query;
    const change: UserChange = { user: request.params.user, patch: { status: 'removed' }, dryRun };
    const outcome = await patchUser(admin, writeContext(request, reason), change);
    return 'wouldBlock' in outcome ? ok(outcome) : done();
  },
});

export const USER_ENDPOINTS = [list, add, show, change, remove];

async function readUser(admin: Admin, org: string, user: string) {
  const userKey = userKeyOfPath(user);
  const first = await readOrg(admin, org, userWants(userKey, []));
  const { wants, show } = shownUser(admin, userKey, memberIn(first.tables, userKey)?.groups ?? []);
  const [shown, activeOf] = await Promise.all([
    readOrg(admin, org, wants).then(show),
    lastActiveOf(admin, first, [userKey]),
  ]);
  return { ...shown, ...activeOf(userKey) };
}

type Shown = ReturnType<typeof userView>;

function userKeyOfPath(user: string): string {
  const userKey = userKeyOf(user);
  if (userKey === undefined) throw notFound(`user ${user}`);
  return userKey;
}

async function addUser(
  admin: Admin,
  context: WriteContext,
  user: Static<typeof NewUser> & { readonly userKey: string },
): Promise<Shown> {
  const { id, userKey, name = '', email = '', role = '', mail = false, groups = [] } = user;
  const { status = mail ? 'invited' : 'active' } = user;
  if (mail) checkMail(admin, { status, email });
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
      ...(mail ? mailChanges(admin, { view, user: { id, name, email }, by: context.who }) : []),
    ];
    const to = { name, email, role, status, groups, ...(mail ? { mail } : {}) };
    const auditEvent = { action: 'user.add', subject: `user:${id}`, to };
    return { changes, auditEvent, ...shownUser(admin, userKey, member.groups) };
  };
  return changeOrg(admin, context, { reads: userWants(userKey, groups), decide });
}

function checkMail(
  { invitationMail }: Admin,
  { status, email }: { readonly status: UserStatus; readonly email: string },
): void {
  if (invitationMail === undefined) throw invalid('mail', 'needs a mail server in the configuration');
  if (status !== 'invited') throw invalid('status', 'must be invited, to send an invitation by mail');
  if (email === '') throw invalid('email', 'is missing, to send an invitation by mail');
}

interface Invited {
  readonly view: OrgView;
  readonly user: { readonly id: string; readonly name: string; readonly email: string };
  readonly by: string;
}

function mailChanges({ invitationMail }: Admin, { view, user, by }: Invited): readonly Change[] {
  const { id: org, name: orgName, now: at } = view;
  const { id, name, email } = user;
  return invitationMail?.changesFor({ org, orgName, user: id, name, email, by, at }) ?? [];
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

interface UserChange {
  readonly user: string;
  readonly patch: UserPatch;
  readonly dryRun: boolean;
}

async function patchUser(
  admin: Admin,
  context: WriteContext,
  { user, patch, dryRun }: UserChange,
): Promise<Shown | Preview> {
  const userKey = userKeyOfPath(user);
  const decide = (view: OrgView): WritePlan<Shown | Preview> => {
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
    if (dryRun) return previewed(admin, userKey, { before, after });
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
