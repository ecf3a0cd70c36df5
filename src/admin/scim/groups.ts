/** Groups: create, replace, patch, delete, show, list. The same rules and audit entries as in the admin API. */
import { decodeGroup, decodeMember, type Group } from '../../ledger/codec.js';
import { scanAll } from '../../ledger/scan-all.js';
import { type OrgView, readOrg, textIn } from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';
import { etagOfGroup, groupIn, present } from '../groups/group-view.js';
import {
  changeMembers,
  checkJoins,
  type MembershipChanges,
  memberChanges,
  memberReads,
  membersEvent,
  partsOf,
} from '../groups/membership.js';
import { setGroup } from '../groups/routes.js';
import { checkMatch } from '../http/etag.js';
import { type AuditEvent, changeOrg, type WriteContext, type WritePlan } from '../writes/change.js';
import { type GroupEdit, groupEditOf, groupInputOf } from './group-input.js';
import { groupResource } from './group-resource.js';
import { groupIdFor } from './ids.js';
import type { Operation } from './operations.js';
import type { Resource } from './projection.js';

const NOBODY: MembershipChanges = { joins: [], leaves: [] };
/** Ids that are read to find one that is not in use; more are looked for in all. */
const IDS_READ = 8;

export async function createGroup(admin: Admin, context: WriteContext, body: unknown): Promise<Resource> {
  const { displayName, externalId, members } = groupInputOf(body);
  const [first = NOBODY, ...rest] = partsOf({ joins: members, leaves: [] });
  if (rest.length > 0)
    await checkJoins(admin, context.org, { group: { group: '', generation: 0 }, joins: members });
  const decide = async (view: OrgView): Promise<WritePlan<Resource>> => {
    const id = await freeId(admin, view, displayName);
    const text = textIn(view.tables, 'groups', id);
    const generation = text === undefined ? 0 : decodeGroup(text).generation + 1;
    const group = renamed({ generation, alive: true, name: displayName }, { externalId: externalId ?? null });
    const { changes, joins } = await memberChanges(admin, view, {
      group: { group: id, generation },
      ...first,
    });
    const auditEvent = {
      action: 'group.add',
      subject: `group:${id}`,
      to: { name: displayName, externalId: externalId ?? null, members: joins },
    };
    const answer = groupResource(context.org, { id, group, members });
    return { changes: [setGroup(id, group), ...changes], auditEvent, answer };
  };
  const reads = [
    { table: 'groups', fields: idsFor(displayName) } as const,
    { table: 'members', fields: first.joins } as const,
  ];
  const created = await changeOrg(admin, context, { reads, decide });
  for (const part of rest) await changeMembers(admin, context, { id: String(created.id), ...part });
  return created;
}

function idsFor(displayName: string): string[] {
  const ids: string[] = [];
  while (ids.length < IDS_READ) ids.push(groupIdFor(displayName, (id) => ids.includes(id)));
  return ids;
}

async function freeId(admin: Admin, { id: org, tables }: OrgView, displayName: string): Promise<string> {
  const free = idsFor(displayName).find((id) => groupIn(tables, id) === undefined);
  if (free !== undefined) return free;
  const all = new Map([['groups', await scanAll(admin.ledger, org, 'groups')] as const]);
  return groupIdFor(displayName, (id) => groupIn(all, id) !== undefined);
}

/** `externalId`: null for none, undefined for the present one. */
function renamed(
  group: Group,
  { displayName, externalId }: Pick<GroupEdit, 'displayName' | 'externalId'>,
): Group {
  const { generation, alive, name } = group;
  const external = externalId === undefined ? group.externalId : (externalId ?? undefined);
  return {
    generation,
    alive,
    name: displayName ?? name,
    ...(external === undefined ? {} : { externalId: external }),
  };
}

export async function replaceGroup(
  admin: Admin,
  context: WriteContext,
  { id, body }: { readonly id: string; readonly body: unknown },
): Promise<Resource> {
  const { displayName, externalId = null, members } = groupInputOf(body);
  const edit = { displayName, externalId, replacesMembers: true, joins: members, leaves: [] };
  const group = await changeGroup(admin, context, { id, edit });
  return groupResource(context.org, { id, group, members });
}

export async function patchGroup(
  admin: Admin,
  context: WriteContext,
  { id, operations }: { readonly id: string; readonly operations: readonly Operation[] },
): Promise<void> {
  await changeGroup(admin, context, { id, edit: groupEditOf(operations) });
}

/** Name and the first members in one commit; the others in further ones, all checked before the first. */
async function changeGroup(
  admin: Admin,
  context: WriteContext,
  { id, edit }: { readonly id: string; readonly edit: GroupEdit },
): Promise<Group> {
  const { org } = context;
  const { joins } = edit;
  const [first = NOBODY, ...rest] = partsOf({ joins, leaves: await leavesOf(admin, org, { id, edit }) });
  if (rest.length > 0) await checkJoins(admin, org, { group: await groupOf(admin, org, id), joins });
  const decide = async (view: OrgView): Promise<WritePlan<Group>> => {
    const before = present(view.tables, id);
    checkMatch(context.ifMatch, etagOfGroup(id, before));
    const after = renamed(before, edit);
    const planned = await memberChanges(admin, view, {
      group: { group: id, generation: before.generation },
      ...first,
    });
    const isRenamed = etagOfGroup(id, before) !== etagOfGroup(id, after);
    const changes = [...(isRenamed ? [setGroup(id, after)] : []), ...planned.changes];
    if (changes.length === 0) return { changes, answer: after };
    const auditEvent = isRenamed ? renameEvent(id, { before, after, planned }) : membersEvent(id, planned);
    return { changes, auditEvent, answer: after };
  };
  const group = await changeOrg(admin, context, { reads: memberReads(id, first), decide });
  for (const part of rest) await changeMembers(admin, context, { id, ...part });
  return group;
}

interface Rename {
  readonly before: Group;
  readonly after: Group;
  readonly planned: MembershipChanges;
}

function renameEvent(id: string, { before, after, planned: { joins, leaves } }: Rename): AuditEvent {
  const shown = ({ name, externalId }: Group) => ({ name, externalId: externalId ?? null });
  const moved = joins.length + leaves.length === 0 ? {} : { joined: joins, left: leaves };
  const to = { ...shown(after), ...moved };
  return { action: 'group.change', subject: `group:${id}`, from: shown(before), to };
}

async function groupOf(admin: Admin, org: string, id: string) {
  const { tables } = await readOrg(admin, org, [{ table: 'groups', fields: [id] }]);
  return { group: id, generation: present(tables, id).generation };
}

/** Read directly: a copy for lists may be two seconds old. */
async function leavesOf(
  admin: Admin,
  org: string,
  { id, edit }: { readonly id: string; readonly edit: GroupEdit },
): Promise<readonly string[]> {
  if (!edit.replacesMembers) return edit.leaves;
  const { generation } = await groupOf(admin, org, id);
  const stay = new Set(edit.joins);
  const leaves: string[] = [];
  for (const [userKey, text] of await scanAll(admin.ledger, org, 'members')) {
    const isIn = decodeMember(text).groups.some((one) => one.group === id && one.generation === generation);
    if (isIn && !stay.has(userKey)) leaves.push(userKey);
  }
  return leaves;
}
