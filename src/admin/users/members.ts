/** Members of the org: status and groups, as the ledger keeps them. */
import { setImmediate as turn } from 'node:timers/promises';
import { decodeGroup, decodeMember, encodeMember, type Member } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { fieldsOf, type Tables, textIn } from '../../ledger/view/org-view.js';

export function memberIn(tables: Tables, token: string): Member | undefined {
  const text = textIn(tables, 'members', token);
  return text === undefined ? undefined : decodeMember(text);
}

/** Without memberships of groups that were deleted since. */
export function liveMember(tables: Tables, member: Member): Member {
  const groups = member.groups.filter(({ group, generation }) => {
    const text = textIn(tables, 'groups', group);
    const known = text === undefined ? undefined : decodeGroup(text);
    return known?.alive === true && known.generation === generation;
  });
  return { ...member, groups };
}

export function memberChange(token: string, before: Member, after: Member): Change[] {
  const value = encodeMember(after);
  return value === encodeMember(before) ? [] : [{ set: 'members', field: token, value }];
}

const MEMBERS_A_TURN = 500;

/** How many users are in each group; removed ones are in none. */
export async function memberCounts(tables: Tables): Promise<(group: string, generation: number) => number> {
  const counts = new Map<string, number>();
  let seen = 0;
  for (const text of fieldsOf(tables, 'members').values()) {
    seen += 1;
    if (seen % MEMBERS_A_TURN === 0) await turn();
    const { status, groups } = decodeMember(text);
    if (status === 'removed') continue;
    for (const { group, generation } of groups) {
      const key = `${group}#${generation}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return (group, generation) => counts.get(`${group}#${generation}`) ?? 0;
}
