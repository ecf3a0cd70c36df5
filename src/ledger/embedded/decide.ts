/** Decides a reservation: checks every line and, if all fit, charges and holds them all. */
import { type ChargeItem, GROUPS_MAX } from '../../quota/charge.js';
import { keyIdOf } from '../../quota/id.js';
import { encodeMember, type HoldRecord, holderOfKey, lineDetail, type Member } from '../codec.js';
import type { Admitted, Denied, Refused, ReserveOp, Result, Violation } from '../port.js';
import { checkLimits, findBindingLimits, isSpent, type LimitCheck, refusal } from './check-limits.js';
import { groupIn, memberIn } from './codec-cache.js';
import { noteRefusal } from './crossings.js';
import { checkLimitsAfterExpiry } from './expire.js';
import { grantedItems, hasLeast, leastOf } from './grants.js';
import { change, type LimitCounter, linesOf, planOf, type Work } from './limit-counters.js';
import type { OrgState } from './org-state.js';

/** Decides one reservation. Any answer except `admitted` leaves consumed, held and history figures unchanged. */
export function reserve(work: Work, op: ReserveOp): Result {
  if (op.key === undefined) return decide(work, op);
  const user = holderOf(work, op.key);
  if (user === undefined) return denied('invalid-key');
  const result = decide(work, { ...op, user });
  return result.status === 'denied' ? result : { ...result, user };
}

/** The user whose API key this is, if it is valid now. */
function holderOf({ orgState, now }: Work, key: string): string | undefined {
  const [id = '', hash = ''] = key.split(':');
  const text = orgState.table('keys').text(id);
  return text === undefined ? undefined : holderOfKey(text, hash, now);
}

function decide(work: Work, op: ReserveOp): Admitted | Refused | Denied {
  const standing = op.hold === '' ? undefined : work.orgState.hold(op.hold);
  if (standing !== undefined && !standing.open) return denied('voided');
  const member = admitMember(work, op.user, op.charges.items.length === 0);
  if (typeof member === 'string') return denied(member);
  if (op.unknownGroups === 'deny') {
    const unknown = unknownClaims(work, op.claims);
    if (unknown.length > 0) return { status: 'denied', reason: 'unknown-group', groups: unknown.join(',') };
  }
  const groups = groupsOf(work, member, op.claims);
  if (groups === undefined) return denied('too-many-groups');
  const { items } = op.charges;
  if (items.some((item) => planOf(work.orgState, item.quota) === undefined)) return denied('no-plan');
  const lines = items.map((item) => linesOf(work, work.present, item.quota, op.user, groups));
  if (standing !== undefined) {
    const again = admitted(work, items, lines, groups, [], true);
    return withGranted(again, items, heldOf(items, standing));
  }
  const { granted, ...check } = checkBetween(work, items, lines);
  if (check.hard.length > 0) return refused(work, op, items, lines, groups, check.hard);
  charge(work, op, granted, lines, groups);
  return withGranted(admitted(work, items, lines, groups, check.lenient, false), items, granted);
}

interface GrantCheck extends LimitCheck {
  /** The items as granted. Meaningless if a hard limit is exceeded. */
  readonly granted: readonly ChargeItem[];
}

/** Checks the limits for a charge with a least and a most. */
function checkBetween(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
): GrantCheck {
  const whole = checkLimitsAfterExpiry(work, items, lines);
  if (whole.hard.length === 0 || !hasLeast(items)) return { ...whole, granted: items };
  const least = checkLimits(work, leastOf(items), lines);
  if (least.hard.length > 0) return { ...least, granted: items };
  const granted = grantedItems(work, items, lines);
  return { ...checkLimits(work, granted, lines), granted };
}

/** Adds the granted units to the answer of a reservation that has a least. */
function withGranted(
  answer: Admitted,
  asked: readonly ChargeItem[],
  granted: readonly { readonly units: number }[],
): Admitted {
  return hasLeast(asked) ? { ...answer, granted: granted.map(({ units }) => units) } : answer;
}

/** What a hold has of these items. */
function heldOf(items: readonly ChargeItem[], hold: HoldRecord): readonly { readonly units: number }[] {
  let place = 0;
  return items.map((item) => {
    if (item.kind === 'gate') return item;
    place += 1;
    return hold.items[place - 1] ?? item;
  });
}

function denied(reason: Denied['reason']): Denied {
  return { status: 'denied', reason };
}

/**
 * Returns the user's membership. Unknown users are registered and invited ones become active, both while seats remain.
 * `dryRun`: returns the same without writing.
 */
export function admitMember(work: Work, user: string, dryRun = false): Member | Denied['reason'] {
  const { orgState, call } = work;
  if (orgState.org.text('state') === 'archived') return 'org-archived';
  const text = orgState.directory('members', user);
  if (text === undefined && call.unknownUsers === 'deny') return 'unknown-user';
  const member: Member = text === undefined ? { status: 'invited', groups: [] } : memberIn(text);
  if (member.status === 'active') return member;
  if (member.status !== 'invited') return 'inactive-user';
  const seats = orgState.org.text('seats') ?? '';
  const used = orgState.org.number('seatsUsed');
  if (seats !== '' && used >= Number(seats)) return 'no-seat';
  const active: Member = { status: 'active', groups: member.groups };
  if (dryRun) return active;
  registerMember(orgState, user, active);
  orgState.noteChanged(`members=${user}`, work.now);
  return active;
}

function registerMember(orgState: OrgState, user: string, active: Member): void {
  const { org, staged } = orgState;
  const members = orgState.table('members');
  members.set(user, encodeMember(active));
  org.set('seatsUsed', org.number('seatsUsed') + 1);
  // The record was made of the staged one.
  if (staged !== undefined) members.delete(staged + user);
  // A staging that has the user counts the seat too.
  if (org.map.has('staging') && members.map.has(`!${org.text('staging')}:${user}`))
    org.set('stagingSeats', org.number('stagingSeats') - 1);
}

/** Returns undefined if there are more than can be checked. */
function groupsOf(work: Work, member: Member, claims: string): string | undefined {
  const found = knownGroups(work, member, claims);
  return found.length > GROUPS_MAX ? undefined : found.join(',');
}

/** Returns directory groups, then claimed ones, each once and only if it exists. */
export function knownGroups(work: Work, member: Member, claims: string): string[] {
  if (member.groups.length === 0 && claims === '') return [];
  const { orgState } = work;
  const found = new Set<string>();
  for (const { group, generation } of member.groups) {
    const text = orgState.directory('groups', group);
    const known = text === undefined ? undefined : groupIn(text);
    if (known?.alive === true && known.generation === generation) found.add(group);
  }
  for (const group of claims === '' ? [] : claims.split(',')) if (isAlive(work, group)) found.add(group);
  return [...found];
}

function isAlive({ orgState }: Work, group: string): boolean {
  const text = orgState.directory('groups', group);
  return text !== undefined && groupIn(text).alive;
}

/** Claimed groups that the directory does not have. */
function unknownClaims(work: Work, claims: string): string[] {
  return claims === '' ? [] : claims.split(',').filter((group) => !isAlive(work, group));
}

// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
function refused(
  work: Work,
  op: ReserveOp,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
  groups: string,
  violated: readonly Violation[],
): Refused {
  for (const one of violated) if (isSpent(one)) noteRefusal(work, one, op.user, op.charges.action);
  return refusal(groups, violated, findBindingLimits(work, items, lines));
}

// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
function charge(
  work: Work,
  op: ReserveOp,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
  groups: string,
): void {
  const { action, model = '' } = op.charges;
  const key = op.key === undefined ? '' : keyIdOf(op.key);
  const charged: string[] = [];
  for (const [index, item] of items.entries()) {
    if (item.kind === 'gate') continue;
    const fixed = item.kind === 'fixed';
    if (fixed) charged.push(`${item.quota}=${item.units}`);
    for (const line of lines[index] ?? [])
      change(work, line, fixed ? item.units : 0, fixed ? 0 : item.units, op.user, action);
  }
  if (charged.length > 0)
    work.journal.push(
      `${work.now}|${op.user}|${groups}|${action}|${charged.join(',')}|${lineDetail(key, model)}`,
    );
  if (op.hold === '') return;
  const held = items.filter((item) => item.kind !== 'gate');
  const record = {
    open: true,
    ended: false,
    cycle: work.present.start,
    at: work.now,
    user: op.user,
    groups,
    action,
    key,
    model,
    items: held.map(({ quota, kind, units }) => {
      return { quota, fixed: kind === 'fixed', units, charged: kind === 'fixed' ? units : 0 };
    }),
    expiresAt: work.now + op.ttlMs,
  };
  work.orgState.putHold(op.hold, record, undefined);
}

// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
function admitted(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
  groups: string,
  violated: readonly Violation[],
  duplicate: boolean,
): Admitted {
  return {
    status: 'admitted',
    groups,
    duplicate,
    violated,
    bindingLimits: findBindingLimits(work, items, lines),
  };
}
