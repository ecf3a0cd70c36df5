/** Members of the org: status and groups, as the ledger keeps them. */
import {
  countedGroups,
  decodeGroup,
  decodeMember,
  encodeMember,
  type Member,
  type Membership,
  memberCountField,
} from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { numberIn, type Tables, textIn } from '../../ledger/view/org-view.js';

export function memberIn(tables: Tables, userKey: string): Member | undefined {
  const text = textIn(tables, 'members', userKey);
  return text === undefined ? undefined : decodeMember(text);
}

/** Excludes memberships of groups that were deleted since. */
export function liveMember(tables: Tables, member: Member): Member {
  const groups = member.groups.filter(({ group, generation }) => {
    const text = textIn(tables, 'groups', group);
    const known = text === undefined ? undefined : decodeGroup(text);
    return known?.alive === true && known.generation === generation;
  });
  return { ...member, groups };
}

/** `before`: undefined for a new user. Updates the member counts. */
export function memberChange(userKey: string, before: Member | undefined, after: Member): Change[] {
  const value = encodeMember(after);
  if (before !== undefined && value === encodeMember(before)) return [];
  return [
    { set: 'members', field: userKey, value },
    ...countChanges(countedGroups(before), countedGroups(after)),
  ];
}

function countChanges(before: readonly Membership[], after: readonly Membership[]): Change[] {
  const [left, joined] = [new Set(before.map(memberCountField)), new Set(after.map(memberCountField))];
  return [
    ...[...left].filter((field) => !joined.has(field)).map((field) => countChange(field, -1)),
    ...[...joined].filter((field) => !left.has(field)).map((field) => countChange(field, 1)),
  ];
}

function countChange(field: string, by: number): Change {
  return { incr: 'records', field, by };
}

export function memberCount(tables: Tables, membership: Membership): number {
  return numberIn(tables, 'records', memberCountField(membership));
}
