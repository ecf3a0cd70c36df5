/**
 * Groups and their members. A group that is created again under an old id starts empty, because memberships contain its
 * generation.
 */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { decodeGroup, encodeGroup, type Group } from '../../ledger/codec.js';
import type { Change, Want } from '../../ledger/port.js';
import { type OrgView, textIn } from '../../ledger/view/org-view.js';
import { limitDeletion } from '../../notify/raise-requests.js';
import { lineOf, userKeyOf } from '../../quota/id.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { created, endpoint, ok, okOrDone } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { DryRun, members, Name, Paging, Reason, Search, Title } from '../http/validate.js';
import { BLOCKS_NOBODY, type AccessPreview as Preview, previewed } from '../users/access-preview.js';
import { memberChange, memberIn } from '../users/members.js';
import { profileField } from '../users/profile.js';
import { AccessPreview, UserList } from '../users/schemas.js';
import { listUsers, MemberQuery } from '../users/user-list.js';
import { etagOfUser } from '../users/user-view.js';
import { changeOrg, UNCHANGED, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import {
  etagOfGroup,
  listGroups,
  present,
  readGroup,
  type GroupView as Shown,
  shownGroup,
} from './group-view.js';
import { memberAfter, withinBound } from './membership.js';
import { GroupList, GroupView } from './schemas.js';

const NewGroup = members({ id: Name, name: Type.Optional(Title), reason: Reason });
const GroupPatch = members({ name: Title, reason: Reason });

const list = endpoint({
  id: 'listGroups',
  method: 'GET',
  path: '/orgs/:org/groups',
  summary: 'List groups, with members, limits and combined consumption',
  roles: READERS,
  query: { ...Paging, ...Search },
  answers: { 200: GroupList },
  handle: async (admin, { params, query }) => ok(await listGroups(admin, params.org, query)),
});

const add = endpoint({
  id: 'addGroup',
  method: 'POST',
  path: '/orgs/:org/groups',
  summary: 'Create a group',
  roles: MANAGERS,
  body: NewGroup,
  example: { id: 'designers', name: 'Designers' },
  answers: { 201: GroupView },
  errors: ['already-exists'],
  handle: async (admin, request) => {
    const { body, params } = request;
    const view = await addGroup(admin, writeContext(request, body.reason), body);
    return created(`/v1/orgs/${params.org}/groups/${body.id}`, view);
  },
});

const show = endpoint({
  id: 'getGroup',
  method: 'GET',
  path: '/orgs/:org/groups/:group',
  summary: 'Show a group',
  roles: READERS,
  answers: { 200: GroupView },
  handle: async (admin, { params }) => ok(await readGroup(admin, params.org, params.group)),
});

const listMembers = endpoint({
  id: 'listMembers',
  method: 'GET',
  path: '/orgs/:org/groups/:group/members',
  summary: 'List the members of a group, with cap, consumed and left of each quota',
  roles: READERS,
  query: MemberQuery,
  answers: { 200: UserList },
  handle: async (admin, { params: { org, group }, query }) => {
    await readGroup(admin, org, group);
    return ok(await listUsers(admin, org, { ...query, group }));
  },
});

const rename = endpoint({
  id: 'renameGroup',
  method: 'PATCH',
  path: '/orgs/:org/groups/:group',
  summary: 'Rename a group',
  roles: MANAGERS,
  body: GroupPatch,
  example: { name: 'Analysts' },
  answers: { 200: GroupView },
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params } = request;
    const context = writeContext(request, body.reason);
    return ok(await renameGroup(admin, context, { id: params.group, name: body.name }));
  },
});

const remove = endpoint({
  id: 'deleteGroup',
  method: 'DELETE',
  path: '/orgs/:org/groups/:group',
  summary: 'Delete a group and its limits: what its members consumed stays counted',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: AccessPreview, 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { reason, dryRun = false } = request.query;
    const change = { id: request.params.group, dryRun };
    const outcome = await deleteGroup(admin, writeContext(request, reason), change);
    return okOrDone(outcome);
  },
});

const join = endpoint({
  id: 'addMember',
  method: 'PUT',
  path: '/orgs/:org/groups/:group/members/:user',
  summary: 'Add a user to a group; with dryRun, say whether its limits would block the user',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: AccessPreview, 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { group, user } = request.params;
    const { reason, dryRun = false } = request.query;
    const change = { group, user, joins: true, dryRun };
    const outcome = await changeMembership(admin, writeContext(request, reason), change);
    return okOrDone(outcome);
  },
});

const leave = endpoint({
  id: 'removeMember',
  method: 'DELETE',
  path: '/orgs/:org/groups/:group/members/:user',
  summary: 'Remove a user from a group',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: AccessPreview, 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { group, user } = request.params;
    const { reason, dryRun = false } = request.query;
    const change = { group, user, joins: false, dryRun };
    const outcome = await changeMembership(admin, writeContext(request, reason), change);
    return okOrDone(outcome);
  },
});

export const GROUP_ENDPOINTS = [list, add, show, listMembers, rename, remove, join, leave];

async function addGroup(
  admin: Admin,
  context: WriteContext,
  { id, name = id }: Static<typeof NewGroup>,
): Promise<Shown> {
  const decide = ({ tables }: OrgView): WritePlan<Shown> => {
    const text = textIn(tables, 'groups', id);
    const before = text === undefined ? undefined : decodeGroup(text);
    if (before?.alive === true) throw new ProblemError('already-exists', `The group ${id} already exists`);
    const generation = before === undefined ? 0 : before.generation + 1;
    const changes = [setGroup(id, { generation, alive: true, name })];
    const auditEvent = { action: 'group.add', subject: `group:${id}`, to: { name } };
    return { changes, auditEvent, ...shownGroup(admin, id, { generation }) };
  };
  return changeOrg(admin, context, { reads: [{ table: 'groups', fields: [id] }], decide });
}

export function setGroup(id: string, group: Group): Change {
  return { set: 'groups', field: id, value: encodeGroup(group) };
}

async function renameGroup(
  admin: Admin,
  context: WriteContext,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<Shown> {
  const decide = ({ tables }: OrgView): WritePlan<Shown> => {
    const group = present(tables, id);
    checkMatch(context.ifMatch, etagOfGroup(id, group));
    const shown = shownGroup(admin, id, group);
    if (group.name === name) return { changes: [], ...shown };
    const [from, to] = [{ name: group.name }, { name }];
    const auditEvent = { action: 'group.change', subject: `group:${id}`, from, to };
    return { changes: [setGroup(id, { ...group, name })], auditEvent, ...shown };
  };
  return changeOrg(admin, context, { reads: [{ table: 'groups', fields: [id] }], decide });
}

/** Its limits are deleted too; what its members consumed stays recorded. */
export async function deleteGroup(
  admin: Admin,
  context: WriteContext,
  { id, dryRun }: { readonly id: string; readonly dryRun: boolean },
): Promise<Preview | undefined> {
  const lines = [...admin.quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  const decide = ({ tables }: OrgView): WritePlan<Preview | undefined> => {
    const group = present(tables, id);
    checkMatch(context.ifMatch, etagOfGroup(id, group));
    // Without the group's limits, its members have more left.
    if (dryRun) return { changes: [], answer: BLOCKS_NOBODY };
    const limits = lines.filter((line) => textIn(tables, 'limits', line) !== undefined);
    const changes = [setGroup(id, { ...group, alive: false }), ...limits.flatMap(limitDeletion)];
    const auditEvent = { action: 'group.delete', subject: `group:${id}`, from: { name: group.name, limits } };
    return { changes, auditEvent, answer: undefined };
  };
  const reads: Want[] = [
    { table: 'groups', fields: [id] },
    { table: 'limits', fields: lines },
  ];
  return changeOrg(admin, context, { reads, decide });
}

interface MembershipChange {
  readonly group: string;
  readonly user: string;
  readonly joins: boolean;
  readonly dryRun: boolean;
}

async function changeMembership(
  admin: Admin,
  context: WriteContext,
  change: MembershipChange,
): Promise<Preview | undefined> {
  const { group: id, user, joins, dryRun } = change;
  const userKey = userKeyOf(user);
  if (userKey === undefined) throw notFound(`user ${user}`);
  const decide = async ({ tables }: OrgView): Promise<WritePlan<Preview | undefined>> => {
    const { generation } = present(tables, id);
    const before = memberIn(tables, userKey);
    if (before === undefined) throw notFound(`user ${user}`);
    checkMatch(context.ifMatch, etagOfUser(tables, userKey, before));
    const changed = memberAfter(before, { group: id, generation }, joins);
    if (changed === before) return dryRun ? { changes: [], answer: BLOCKS_NOBODY } : UNCHANGED;
    const after = joins ? await withinBound(admin, context.org, changed) : changed;
    if (dryRun) return previewed(admin, userKey, { before, after });
    const action = joins ? 'group.join' : 'group.leave';
    const auditEvent = { action, subject: `group:${id}`, to: { user } };
    return { changes: memberChange(userKey, before, after), auditEvent, answer: undefined };
  };
  const reads: Want[] = [
    { table: 'groups', fields: [id] },
    { table: 'members', fields: [userKey] },
    { table: 'records', fields: [profileField(userKey)] },
  ];
  return changeOrg(admin, context, { reads, decide });
}
