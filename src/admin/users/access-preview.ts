/** Dry runs: which users a write would block. */
import { decodeLimit, type Member } from '../../ledger/codec.js';
import { limitStanding, lineTo } from '../../ledger/view/limit-lines.js';
import { type OrgView, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { pageOf } from '../http/paging.js';
import type { UserRow } from '../snapshots/user-rows.js';
import type { WritePlan } from '../writes/change.js';
import { liveMember } from './members.js';
import { shownUser } from './shown-user.js';
import { userTables } from './user-view.js';

export interface UsersBlocked {
  readonly count: number;
  readonly users: readonly string[];
}

export interface AccessPreview {
  readonly wouldBlock: boolean;
  readonly usersBlocked: UsersBlocked;
  readonly quotas: readonly string[];
}

export const NOBODY: UsersBlocked = { count: 0, users: [] };
export const BLOCKS_NOBODY: AccessPreview = { wouldBlock: false, usersBlocked: NOBODY, quotas: [] };

const USERS_SHOWN = 100;

interface MemberChange {
  readonly before: Member;
  readonly after: Member;
}

/** The view has the limits and figures of the user and of all groups before and after. */
function accessPreview(view: OrgView, userKey: string, { before, after }: MemberChange): AccessPreview {
  const isLockedOut = canAsk(before) && !canAsk(after);
  const blockedBefore = new Set(canAsk(before) ? blockedQuotas(view, userKey, before) : []);
  const quotas = canAsk(after)
    ? blockedQuotas(view, userKey, after).filter((quota) => !blockedBefore.has(quota))
    : [];
  const wouldBlock = isLockedOut || quotas.length > 0;
  const usersBlocked = wouldBlock ? { count: 1, users: [userIdOf(userKey)] } : NOBODY;
  return { wouldBlock, usersBlocked, quotas: isLockedOut ? [...view.pools.keys()] : quotas };
}

function canAsk({ status }: Pick<Member, 'status'>): boolean {
  return status === 'active' || status === 'invited';
}

/** Quotas of which a limit of the user, or of a group, has nothing left. */
function blockedQuotas(view: OrgView, userKey: string, member: Member): string[] {
  const { groups } = liveMember(view.tables, member);
  return [...view.pools.keys()].filter((quota) => {
    const lines = [
      lineTo(quota, 'user', userKey),
      ...groups.map(({ group }) => lineTo(quota, 'group', group)),
    ];
    return lines.some((line) => {
      const text = textIn(view.tables, 'limits', line.field);
      return text !== undefined && limitStanding(view, line, decodeLimit(text)).status === 'blocked';
    });
  });
}

/** The dry run of a change of status or groups. */
export function previewed(admin: Admin, userKey: string, change: MemberChange): WritePlan<AccessPreview> {
  const { wants } = shownUser(admin, userKey, [...change.before.groups, ...change.after.groups]);
  return { changes: [], wants, show: (view) => accessPreview(view, userKey, change) };
}

interface BlockedSubjects {
  /** Keys. */
  readonly users: ReadonlySet<string>;
  /** Their generations, which tell them from deleted groups of the same ids. */
  readonly groups: ReadonlyMap<string, number>;
}

/** These users, and the members of these groups who may make requests: each once. */
export async function usersBlockedBy(
  { snapshots }: Admin,
  view: OrgView,
  { users, groups }: BlockedSubjects,
): Promise<UsersBlocked> {
  const rows =
    groups.size === 0 ? [] : (await snapshots.users(view.id, userTables(view.cycle.start))).users.values();
  let count = 0;
  const isBlocked = (one: UserRow | string): boolean =>
    typeof one === 'string' ||
    (!users.has(one.userKey) &&
      canAsk(one.member) &&
      one.member.groups.some(({ group, generation }) => groups.get(group) === generation));
  const accept = (one: UserRow | string): boolean => {
    const accepted = isBlocked(one);
    if (accepted) count += 1;
    return accepted;
  };
  const id = (one: UserRow | string): string => (typeof one === 'string' ? one : one.userKey);
  const page = await pageOf(
    { rows: inTurn(users, rows), id, accept, ranks: { id } },
    { pageSize: USERS_SHOWN },
  );
  return { count, users: page.rows.map((one) => userIdOf(id(one))) };
}

function* inTurn<One, Other>(ones: Iterable<One>, others: Iterable<Other>): Generator<One | Other> {
  yield* ones;
  yield* others;
}
