/** Users who join and leave a group, many at once. */
import type { Member } from '../../ledger/codec.js';
import type { Change, Want } from '../../ledger/port.js';
import { type OrgView, readOrg, type Tables } from '../../ledger/view/org-view.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { userIdOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { invalid } from '../http/problems.js';
import { liveMember, memberChange, memberIn } from '../users/members.js';
import {
  type AuditEvent,
  changeOrg,
  UNCHANGED,
  type WriteContext,
  type WritePlan,
} from '../writes/change.js';
import { present } from './group-view.js';

export interface GroupOf {
  readonly group: string;
  readonly generation: number;
}

/** The user as a member of the group, which is then the last of their groups, or without it. */
export function memberAfter(before: Member, { group, generation }: GroupOf, joins: boolean): Member {
  const isIn = before.groups.some((one) => one.group === group && one.generation === generation);
  if (isIn === joins) return before;
  const others = before.groups.filter((one) => one.group !== group);
  return { ...before, groups: joins ? [...others, { group, generation }] : others };
}

/**
 * The member, who has just joined a group, which may be new. Memberships of deleted groups do not count. They are read and
 * excluded only when the maximum is reached.
 */
export async function withinBound(admin: Admin, org: string, member: Member): Promise<Member> {
  if (member.groups.length <= GROUPS_MAX) return member;
  const others = { ...member, groups: member.groups.slice(0, -1) };
  const fields = others.groups.map(({ group }) => group);
  const { tables } = await readOrg(admin, org, [{ table: 'groups', fields }]);
  const live = [...liveMember(tables, others).groups, ...member.groups.slice(-1)];
  if (live.length > GROUPS_MAX) throw invalid('group', `a user may be in ${GROUPS_MAX} groups`);
  return { ...member, groups: live };
}

export interface MembershipChanges {
  /** User keys. */
  readonly joins: readonly string[];
  readonly leaves: readonly string[];
}

/** Users in one commit: it keeps the store busy for less than 2 ms. */
const USERS_AT_ONCE = 250;

interface GroupMembers extends MembershipChanges {
  readonly id: string;
}

export function partsOf({ joins, leaves }: MembershipChanges): MembershipChanges[] {
  const all = [
    ...joins.map((userKey) => ({ userKey, joins: true })),
    ...leaves.map((userKey) => ({ userKey, joins: false })),
  ];
  const parts: MembershipChanges[] = [];
  for (let from = 0; from < all.length; from += USERS_AT_ONCE) {
    const some = all.slice(from, from + USERS_AT_ONCE);
    const keys = (which: boolean) => some.filter((one) => one.joins === which).map(({ userKey }) => userKey);
    parts.push({ joins: keys(true), leaves: keys(false) });
  }
  return parts;
}

/** One commit: for at most `USERS_AT_ONCE` users. */
export async function changeMembers(
  admin: Admin,
  context: WriteContext,
  change: GroupMembers,
): Promise<void> {
  const { id, joins, leaves } = change;
  const decide = async (view: OrgView): Promise<WritePlan<undefined>> => {
    const { generation } = present(view.tables, id);
    const planned = await memberChanges(admin, view, { group: { group: id, generation }, joins, leaves });
    if (planned.changes.length === 0) return UNCHANGED;
    return { changes: planned.changes, auditEvent: membersEvent(id, planned), answer: undefined };
  };
  await changeOrg(admin, context, { reads: memberReads(id, { joins, leaves }), decide });
}

export function memberReads(id: string, { joins, leaves }: MembershipChanges): Want[] {
  return [
    { table: 'groups', fields: [id] },
    { table: 'members', fields: [...joins, ...leaves] },
  ];
}

/** Users by their ids, for the audit log. */
interface PlannedMembers extends MembershipChanges {
  readonly changes: readonly Change[];
}

/** The view has the members. Users who are gone have left; they cannot join. */
export async function memberChanges(
  admin: Admin,
  { id: org, tables }: OrgView,
  { group, joins, leaves }: MembershipChanges & { readonly group: GroupOf },
): Promise<PlannedMembers> {
  const changes: Change[] = [];
  const [joined, left]: [string[], string[]] = [[], []];
  const change = async (userKey: string, before: Member, isJoining: boolean): Promise<void> => {
    const after = memberAfter(before, group, isJoining);
    if (after === before) return;
    const bounded = isJoining ? await withinBound(admin, org, after) : after;
    changes.push(...memberChange(userKey, before, bounded));
    (isJoining ? joined : left).push(userIdOf(userKey));
  };
  for (const userKey of joins) await change(userKey, joining(tables, userKey), true);
  for (const userKey of leaves) {
    const before = memberIn(tables, userKey);
    if (before !== undefined) await change(userKey, before, false);
  }
  return { changes, joins: joined, leaves: left };
}

function joining(tables: Tables, userKey: string): Member {
  const member = memberIn(tables, userKey);
  if (member === undefined || member.status === 'removed')
    throw invalid('members', `user ${userIdOf(userKey)} not found`);
  return member;
}

/** Refuses a user who cannot join before the first of several commits. */
export async function checkJoins(admin: Admin, org: string, { group, joins }: Joins): Promise<void> {
  for (const part of partsOf({ joins, leaves: [] })) {
    const view = await readOrg(admin, org, [{ table: 'members', fields: part.joins }]);
    await memberChanges(admin, view, { group, ...part });
  }
}

interface Joins {
  readonly group: GroupOf;
  readonly joins: readonly string[];
}

/** One user as when an admin adds or removes them. */
export function membersEvent(id: string, { joins, leaves }: MembershipChanges): AuditEvent {
  const subject = `group:${id}`;
  const [only] = [...joins, ...leaves];
  if (joins.length + leaves.length === 1)
    return { action: joins.length === 1 ? 'group.join' : 'group.leave', subject, to: { user: only } };
  return { action: 'group.members', subject, to: { joined: joins, left: leaves } };
}
