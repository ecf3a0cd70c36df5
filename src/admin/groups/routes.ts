/** Groups and who is in them. A group made anew under an old id starts empty: memberships name its generation. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { decodeGroup, encodeGroup, type Group, type Member, type Membership } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { type OrgView, readOrg, type Tables, textIn } from '../../ledger/view/org-view.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { lineOf, userKeyOf } from '../../quota/id.js';
import type { Admin, App } from '../admin.js';
import { checkMatch } from '../http/etag.js';
import { invalid, notFound } from '../http/problems.js';
import { members, Name, Paging, path, Reason, Search, Title } from '../http/validate.js';
import { memberChange, memberIn } from '../users/members.js';
import { profileField } from '../users/profile.js';
import { etagOfUser } from '../users/user-view.js';
import { changeOrg, UNCHANGED, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { etagOfGroup, groupIn, listGroups, readGroup } from './group-view.js';

const NewGroup = members({ id: Name, name: Type.Optional(Title), reason: Reason });
const GroupPatch = members({ name: Title, reason: Reason });
const WithReason = members({ reason: Reason });

const ByOrg = path('org');
const ByGroup = path('org', 'group');

export function groupRoutes(app: App, admin: Admin): void {
  const listSchema = { params: ByOrg, querystring: members({ ...Paging, ...Search }) };
  app.get('/orgs/:org/groups', { schema: listSchema }, async (request) => {
    return listGroups(admin, request.params.org, request.query);
  });

  app.post('/orgs/:org/groups', { schema: { params: ByOrg, body: NewGroup } }, async (request, reply) => {
    const { org } = request.params;
    await addGroup(admin, writeContext(request, request.body.reason), request.body);
    const view = await readGroup(admin, org, request.body.id);
    reply.header('location', `/v1/orgs/${org}/groups/${request.body.id}`);
    return reply.code(201).header('etag', view.etag).send(view);
  });

  app.get('/orgs/:org/groups/:group', { schema: { params: ByGroup } }, async (request, reply) => {
    const view = await readGroup(admin, request.params.org, request.params.group);
    return reply.header('etag', view.etag).send(view);
  });

  const patch = { params: ByGroup, body: GroupPatch };
  app.patch('/orgs/:org/groups/:group', { schema: patch }, async (request, reply) => {
    const { org, group } = request.params;
    await renameGroup(admin, writeContext(request, request.body.reason), group, request.body.name);
    const view = await readGroup(admin, org, group);
    return reply.header('etag', view.etag).send(view);
  });

  const removal = { params: ByGroup, querystring: WithReason };
  app.delete('/orgs/:org/groups/:group', { schema: removal }, async (request, reply) => {
    await deleteGroup(admin, writeContext(request, request.query.reason), request.params.group);
    return reply.code(204).send();
  });
}

export function membershipRoutes(app: App, admin: Admin): void {
  const schema = { params: path('org', 'group', 'user'), querystring: WithReason };
  app.put('/orgs/:org/groups/:group/members/:user', { schema }, async (request, reply) => {
    const { group, user } = request.params;
    await changeMembership(admin, writeContext(request, request.query.reason), { group, user, joins: true });
    return reply.code(204).send();
  });

  app.delete('/orgs/:org/groups/:group/members/:user', { schema }, async (request, reply) => {
    const { group, user } = request.params;
    await changeMembership(admin, writeContext(request, request.query.reason), { group, user, joins: false });
    return reply.code(204).send();
  });
}

async function addGroup(
  admin: Admin,
  context: WriteContext,
  { id, name = id }: Static<typeof NewGroup>,
): Promise<void> {
  const add = ({ tables }: OrgView): WritePlan<undefined> => {
    const text = textIn(tables, 'groups', id);
    const before = text === undefined ? undefined : decodeGroup(text);
    if (before?.alive === true) throw new ProblemError('already-exists', `The group ${id} already exists`);
    const generation = before === undefined ? 0 : before.generation + 1;
    const changes = [setGroup(id, { generation, alive: true, name })];
    return {
      changes,
      auditEvent: { action: 'group.add', subject: `group:${id}`, to: { name } },
      answer: undefined,
    };
  };
  await changeOrg(admin, context, add, [{ table: 'groups', fields: [id] }]);
}

export function setGroup(id: string, group: Group): Change {
  return { set: 'groups', field: id, value: encodeGroup(group) };
}

function present(tables: Tables, id: string): Group {
  const group = groupIn(tables, id);
  if (group === undefined) throw notFound(`group ${id}`);
  return group;
}

async function renameGroup(admin: Admin, context: WriteContext, id: string, name: string): Promise<void> {
  const rename = ({ tables }: OrgView): WritePlan<undefined> => {
    const group = present(tables, id);
    checkMatch(context.ifMatch, etagOfGroup(id, group));
    if (group.name === name) return UNCHANGED;
    const [from, to] = [{ name: group.name }, { name }];
    const auditEvent = { action: 'group.change', subject: `group:${id}`, from, to };
    return { changes: [setGroup(id, { ...group, name })], auditEvent, answer: undefined };
  };
  await changeOrg(admin, context, rename, [{ table: 'groups', fields: [id] }]);
}

/** Its limits go with it; what its members consumed stays on its lines. */
async function deleteGroup(admin: Admin, context: WriteContext, id: string): Promise<void> {
  const lines = [...admin.quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  const remove = ({ tables }: OrgView): WritePlan<undefined> => {
    const group = present(tables, id);
    checkMatch(context.ifMatch, etagOfGroup(id, group));
    const limits = lines.filter((line) => textIn(tables, 'limits', line) !== undefined);
    const changes: Change[] = [
      setGroup(id, { ...group, alive: false }),
      ...limits.map((field): Change => ({ del: 'limits', field })),
    ];
    const auditEvent = { action: 'group.delete', subject: `group:${id}`, from: { name: group.name, limits } };
    return { changes, auditEvent, answer: undefined };
  };
  await changeOrg(admin, context, remove, [
    { table: 'groups', fields: [id] },
    { table: 'limits', fields: lines },
  ]);
}

interface MembershipChange {
  readonly group: string;
  readonly user: string;
  readonly joins: boolean;
}

/** Of a group that was deleted. One that was joined meanwhile, and so was not read, is not. */
function isDead(tables: Tables, { group, generation }: Membership): boolean {
  const text = textIn(tables, 'groups', group);
  if (text === undefined) return false;
  const now = decodeGroup(text);
  return !now.alive || now.generation !== generation;
}

async function changeMembership(
  admin: Admin,
  context: WriteContext,
  change: MembershipChange,
): Promise<void> {
  const { group: id, user, joins } = change;
  const token = userKeyOf(user);
  if (token === undefined) throw notFound(`user ${user}`);
  const decide = ({ tables }: OrgView): WritePlan<undefined> => {
    const { generation } = present(tables, id);
    const before = memberIn(tables, token);
    if (before === undefined) throw notFound(`user ${user}`);
    checkMatch(context.ifMatch, etagOfUser(tables, token, before));
    const others = before.groups.filter((one) => one.group !== id && !isDead(tables, one));
    const after: Member = { ...before, groups: joins ? [...others, { group: id, generation }] : others };
    if (after.groups.length > GROUPS_MAX) throw invalid('group', `a user may be in ${GROUPS_MAX} groups`);
    const inGroup = before.groups.some((one) => one.group === id && one.generation === generation);
    if (inGroup === joins) return UNCHANGED;
    const action = joins ? 'group.join' : 'group.leave';
    const auditEvent = { action, subject: `group:${id}`, to: { user } };
    return { changes: memberChange(token, before, after), auditEvent, answer: undefined };
  };
  const known = await readOrg(admin.ledger, admin.quotas, context.org, [
    { table: 'members', fields: [token] },
  ]);
  const joined = memberIn(known.tables, token)?.groups ?? [];
  await changeOrg(admin, context, decide, [
    { table: 'groups', fields: [id, ...joined.map(({ group }) => group)] },
    { table: 'members', fields: [token] },
    { table: 'records', fields: [profileField(token)] },
  ]);
}
