/** Expires holds, and moves the lines of a hold. */
import type { ChargeItem } from '../../quota/charge.js';
import { type HoldItem, type HoldRecord, lineDetail, rawsText } from '../codec.js';
import { EXPIRE_BEFORE_REFUSAL, TOMBSTONE_MS } from '../port.js';
import { checkLimits, type LimitCheck } from './check-limits.js';
import {
  capOfLine,
  change,
  type LimitCounter,
  linesOf,
  type OpenCycle,
  unitsOn,
  type Work,
} from './limit-counters.js';

/**
 * Expires at most `most` due holds, and forgets due tombstones. Returns how many it processed. Holds of cycles that the
 * call does not name are skipped and reported.
 */
export function expireDue(work: Work, most: number): number {
  if (work.noneDue) return 0;
  const { orgState, now } = work;
  const due: { readonly at: number; readonly id: string }[] = [];
  for (const entry of orgState.due) {
    if (entry.at > now || due.length === most) break;
    due.push(entry);
  }
  if (due.length < most) work.noneDue = true;
  let done = 0;
  for (const entry of due) if (expire(work, entry)) done += 1;
  work.expired += done;
  return done;
}

function expire(work: Work, entry: { readonly at: number; readonly id: string }): boolean {
  const { orgState, now } = work;
  const { id } = entry;
  const hold = orgState.hold(id);
  // Without its record the hold cannot be expired, and it must not block the ones after it. The record says when it is
  // due.
  if (hold === undefined || hold.expiresAt > now) {
    orgState.dropDue(entry);
    return true;
  }
  if (!hold.open) {
    orgState.dropHold(id, hold);
    return true;
  }
  const cycle = cycleOf(work, hold.cycle);
  if (cycle === undefined) {
    if (work.dueIn === 0) work.dueIn = hold.cycle;
    return false;
  }
  const moves = hold.items.map((item) => ({
    item,
    consumed: item.fixed ? 0 : item.charged,
    held: item.fixed ? 0 : -item.units,
  }));
  noteOvershoot(work, hold, moves, move(work, cycle, hold, moves, true));
  orgState.putHold(id, { ...hold, open: false, expiresAt: now + TOMBSTONE_MS }, hold);
  return true;
}

export function cycleOf(work: Work, start: number): OpenCycle | undefined {
  return work.cycles.find((cycle) => cycle.start === start);
}

export interface Move {
  readonly item: HoldItem;
  readonly consumed: number;
  readonly held: number;
  /** What the meter read for it, before weights. Absent: `consumed`. */
  readonly raw?: number | undefined;
}

/** Moves a hold's lines and journals what was charged or given back. Returns the lines of each item. */
// biome-ignore lint/complexity/useMaxParams: called for every line of a decision, where an object would be allocated each time.
export function move(
  work: Work,
  cycle: OpenCycle,
  hold: HoldRecord,
  moves: readonly Move[],
  estimated: boolean,
  model = hold.model,
): LimitCounter[][] {
  const charged: string[] = [];
  const raws: (number | undefined)[] = [];
  const moved = moves.map(({ item, consumed: wanted, held, raw }) => {
    const lines = linesOf(work, cycle, item.quota, hold.user, hold.groups);
    const consumed = wanted < 0 ? -unitsOn(work, lines, -wanted) : wanted;
    for (const line of lines) change(work, line, consumed, held, hold.user, hold.action);
    if (consumed === 0 && (raw ?? 0) === 0) return lines;
    charged.push(`${item.quota}=${consumed}`);
    raws.push(raw);
    return lines;
  });
  if (charged.length > 0) {
    const who = `${hold.at}|${hold.user}|${hold.groups}|${hold.action}`;
    const detail = lineDetail(hold.key, model, rawsText(raws));
    work.journal.push(`${who}|${charged.join(',')}|${estimated ? 'e' : ''}${detail}`);
  }
  return moved;
}

/**
 * Units per item that this move of a hold charged above what it held and above a hard limit. The call's reply has them
 * too.
 */
export function noteOvershoot(
  work: Work,
  hold: HoldRecord,
  moves: readonly Move[],
  lines: readonly LimitCounter[][],
): number[] {
  return moves.map((one, index) => {
    const units = overshootOf(work, hold, one, lines[index] ?? []);
    if (units > 0) work.overshoots.push({ quota: one.item.quota, units });
    return units;
  });
}

/**
 * Returns the units above the hold that exceed a hard limit now. A tombstone holds nothing, so all that is charged now
 * is above it.
 */
function overshootOf(work: Work, hold: HoldRecord, move: Move, lines: readonly LimitCounter[]): number {
  const { item, consumed } = move;
  const held = item.fixed ? consumed : item.units;
  const above = hold.open ? consumed - held : consumed;
  return above > 0 ? pastLimits(work, above, lines) : 0;
}

/** Returns how many of these units exceed a hard limit now. */
export function pastLimits(work: Work, above: number, lines: readonly LimitCounter[]): number {
  let past = 0;
  for (const line of lines) {
    const cap = capOfLine(work, line);
    if (cap.mode !== 'hard') continue;
    past = Math.max(past, Math.min(above, line.consumed + line.held + cap.carried - cap.limit));
  }
  return past;
}

/** Checks the limits; before a refusal, expires due holds and checks again. */
export function checkLimitsAfterExpiry(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
): LimitCheck {
  const check = checkLimits(work, items, lines);
  if (check.hard.length === 0 || expireDue(work, EXPIRE_BEFORE_REFUSAL) === 0) return check;
  return checkLimits(work, items, lines);
}
