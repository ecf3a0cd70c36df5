/** Counters of one call: consumed and held units of a subject for a quota, its cap, and its changes. */
import { GROUPS_MAX, UNITS_MAX } from '../../quota/charge.js';
import { lineOf, type Scope } from '../../quota/id.js';
import { capOf, type Limit, type Plan } from '../../quota/limit.js';
import type { Call, Overshoot } from '../port.js';
import { limitIn, planIn } from './codec-cache.js';
import type { Fields, OrgState } from './org-state.js';

export interface LimitCounter {
  readonly cycle: OpenCycle;
  readonly quota: string;
  readonly scope: Scope;
  readonly subject: string;
  readonly field: string;
  consumed: number;
  held: number;
  /** The consumed units when the call began; crossings compare with it. */
  readonly consumedBefore: number;
  changed: boolean;
  /** The user and action that changed the line last: a notice names them. */
  user: string;
  action: string;
}

/**
 * A cycle named in the call. `present` is the org's current one. The others are closed; only their holds still change
 * them.
 */
export interface OpenCycle {
  readonly start: number;
  readonly present: boolean;
  readonly consumed: Fields;
  readonly held: Fields;
  readonly lines: Map<string, LimitCounter>;
}

/** The working state of one call. */
export interface Work {
  readonly orgState: OrgState;
  readonly call: Call;
  readonly now: number;
  readonly cycles: readonly OpenCycle[];
  readonly present: OpenCycle;
  readonly changed: LimitCounter[];
  readonly journal: string[];
  lines: number;
  expired: number;
  dueIn: number;
  /** Changes that would have taken a counter below 0. */
  clipped: number;
  readonly overshoots: Overshoot[];
  /** No hold is due at this call's time, or all due holds are processed. */
  noneDue: boolean;
}

export type Mode = 'hard' | 'soft' | 'shadow' | 'none';

export interface Cap {
  readonly limit: number;
  readonly mode: Mode;
  /** Extra that holds of closed cycles may still take: it counts as held. */
  readonly carried: number;
}

const NO_CAP: Cap = { limit: UNITS_MAX, mode: 'none', carried: 0 };

// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
export function lineIn(
  work: Work,
  cycle: OpenCycle,
  quota: string,
  scope: Scope,
  subject: string,
): LimitCounter {
  const field = lineOf(quota, scope, subject);
  const known = cycle.lines.get(field);
  if (known !== undefined) return known;
  const consumed = cycle.consumed.number(field);
  const held = cycle.held.number(field);
  const rest = { consumed, held, consumedBefore: consumed, changed: false, user: '', action: '' };
  const line: LimitCounter = { cycle, quota, scope, subject, field, ...rest };
  cycle.lines.set(field, line);
  work.lines += 1;
  return line;
}

/** Returns the lines that a charge on `quota` changes, in the order of the check: user, groups, org. */
// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
export function linesOf(
  work: Work,
  cycle: OpenCycle,
  quota: string,
  user: string,
  groups: string,
): LimitCounter[] {
  const lines = [lineIn(work, cycle, quota, 'user', user)];
  if (groups !== '')
    for (const group of groups.split(',', GROUPS_MAX)) lines.push(lineIn(work, cycle, quota, 'group', group));
  lines.push(lineIn(work, cycle, quota, 'org', ''));
  return lines;
}

export function planOf(orgState: OrgState, quota: string): Plan | undefined {
  const text = orgState.org.text(`plan:${quota}`);
  return text === undefined ? undefined : planIn(text);
}

function extraLeft(orgState: OrgState, quota: string): number {
  return Math.max(0, orgState.org.number(`extra:${quota}`));
}

/** Returns what the org may consume of a quota in the present cycle: allowance + extra. */
function poolOf(orgState: OrgState, quota: string): number {
  const plan = planOf(orgState, quota);
  return plan === undefined ? 0 : Math.min(plan.allowance + extraLeft(orgState, quota), UNITS_MAX);
}

export function capOfLine(work: Work, line: LimitCounter): Cap {
  const { orgState } = work;
  if (line.scope === 'org') {
    const plan = planOf(orgState, line.quota);
    if (plan === undefined) return NO_CAP;
    const closed = line.cycle.present ? undefined : closedPool(line);
    if (closed !== undefined) return closedCap(work, line, plan, closed);
    const carried = Math.min(
      Math.max(0, orgState.org.number(`carry:${line.quota}`)),
      extraLeft(orgState, line.quota),
    );
    return { limit: poolOf(orgState, line.quota), mode: plan.mode, carried };
  }
  const text = orgState.directory('limits', line.field);
  if (text === undefined) return NO_CAP;
  const limit: Limit = limitIn(text);
  const units = capOf(limit, poolOf(orgState, line.quota), work.now);
  return { limit: Math.min(units, UNITS_MAX), mode: limit.shadow ? 'shadow' : 'hard', carried: 0 };
}

/** Returns how many of these units can be removed from all lines of a charge. */
export function unitsOn(work: Work, lines: readonly LimitCounter[], units: number): number {
  const least = Math.min(...lines.map((line) => line.consumed));
  if (least >= units) return units;
  work.clipped += 1;
  return Math.max(0, least);
}

/** Changes a line; `user` and `action` say who and what caused it. */
// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
export function change(
  work: Work,
  line: LimitCounter,
  consumed: number,
  held: number,
  user: string,
  action: string,
): void {
  if (consumed === 0 && held === 0) return;
  if (!line.cycle.present && line.scope === 'org') followClosed(work, line, consumed, held);
  if (!line.changed) {
    line.changed = true;
    work.changed.push(line);
  }
  line.user = user;
  line.action = action;
  line.consumed += consumed;
  line.held += held;
  if (consumed !== 0) line.cycle.consumed.set(line.field, line.consumed);
  if (held === 0) return;
  if (line.held < 0) {
    line.held = 0;
    work.clipped += 1;
  }
  if (line.held === 0) line.cycle.held.delete(line.field);
  else line.cycle.held.set(line.field, line.held);
}

/** Allowance and extra of an org line when its cycle was closed; undefined if there was no plan then. */
function closedPool(line: LimitCounter): { allowance: number; extra: number } | undefined {
  const text = line.cycle.consumed.text(`!closed:${line.quota}`);
  if (text === undefined) return undefined;
  const [allowance = 0, extra = 0] = text.split(':').map(Number);
  return { allowance, extra };
}

/** The pool of a closed cycle: its allowance, how much extra it used, and the part of that extra that no one holds. */
function closedCap(
  work: Work,
  line: LimitCounter,
  plan: Plan,
  closed: { allowance: number; extra: number },
): Cap {
  const { orgState, present } = work;
  const now = lineIn(work, present, line.quota, 'org', '');
  const taken =
    orgState.org.number(`carry:${line.quota}`) + Math.max(0, now.consumed + now.held - plan.allowance);
  const free = extraLeft(orgState, line.quota) - taken;
  const { used, carried } = extraTaken(closed.allowance, closed.extra, line.consumed, line.held);
  const reach = Math.max(0, Math.min(closed.extra, used + carried + free));
  return { limit: Math.min(closed.allowance + reach, UNITS_MAX), mode: plan.mode, carried: 0 };
}

/** Updates the extra that a closed cycle used, and that its holds may still use, together with its org line. */
function followClosed(work: Work, line: LimitCounter, consumed: number, held: number): void {
  const closed = closedPool(line);
  if (closed === undefined || planOf(work.orgState, line.quota) === undefined) return;
  const { allowance, extra } = closed;
  const before = extraTaken(allowance, extra, line.consumed, line.held);
  const after = extraTaken(allowance, extra, line.consumed + consumed, Math.max(0, line.held + held));
  const { org } = work.orgState;
  const there = extraLeft(work.orgState, line.quota);
  const isShort = after.used - before.used > there;
  // Extra that is gone by now becomes overshoot. It is not returned either: the cycle uses no more.
  if (isShort) line.cycle.consumed.set(`!closed:${line.quota}`, `${allowance}:${before.used + there}`);
  const used = isShort ? there : after.used - before.used;
  const carried = (isShort ? 0 : after.carried) - before.carried;
  if (used !== 0) org.set(`extra:${line.quota}`, org.number(`extra:${line.quota}`) - used);
  if (carried !== 0) org.set(`carry:${line.quota}`, org.number(`carry:${line.quota}`) + carried);
}

/** Allowance is used before extra. Returns how much extra is used and how much is held. */
export function extraTaken(
  allowance: number,
  extra: number,
  consumed: number,
  held: number,
): { used: number; carried: number } {
  const used = Math.min(extra, Math.max(0, consumed - allowance));
  const reached = Math.min(extra, Math.max(0, consumed + held - allowance));
  return { used, carried: reached - used };
}
