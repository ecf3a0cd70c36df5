/** Settles, releases and expires holds, exactly once. Tombstones answer operations that arrive late. */
import type { ChargeItem } from '../../quota/charge.js';
import { type HoldRecord, lineDetail } from '../codec.js';
import type { RefundOp, ReleaseOp, RenewOp, Result, SettleOp } from '../port.js';
import { TOMBSTONE_MS } from '../port.js';
import { findBindingLimits, refusal } from './check-limits.js';
import { checkLimitsAfterExpiry, cycleOf, type Move, move, noteOvershoot } from './expire.js';
import { change, type LimitCounter, linesOf, type OpenCycle, unitsOn, type Work } from './limit-counters.js';

export function settle(work: Work, op: SettleOp): Result {
  const hold = work.orgState.hold(op.hold);
  if (hold === undefined || neverRan(hold)) return { status: 'unknown-hold' };
  const cycle = cycleOf(work, hold.cycle);
  if (cycle === undefined) return { status: 'other-cycle' };
  const moves = hold.items.map((item, index) => {
    const units = item.fixed ? item.units : (op.units[index] ?? item.units);
    const held = hold.open && !item.fixed ? -item.units : 0;
    const before = hold.open && !item.fixed ? 0 : item.charged;
    const read = op.raws?.[index];
    // What a tombstone was charged is in the journal, with the same raw amount.
    const raw = read === undefined ? undefined : read - before;
    return { item: { ...item, charged: units }, consumed: units - before, held, raw };
  });
  const lines = move(work, cycle, hold, moves, op.estimated, op.model);
  const overshoot = noteOvershoot(work, hold, moves, lines);
  if (!hold.open) {
    work.orgState.putHold(op.hold, { ...hold, ended: true, items: moves.map((m) => m.item) }, hold);
    return { status: 'settled', overshoot, late: true };
  }
  work.orgState.dropHold(op.hold, hold);
  return { status: 'settled', overshoot, late: false };
}

/** The tombstone of an id that was released before its reservation arrived: it names no user. */
function neverRan(hold: HoldRecord): boolean {
  return hold.user === '';
}

export function release(work: Work, op: ReleaseOp): Result {
  const { orgState, now } = work;
  const hold = orgState.hold(op.hold);
  if (hold === undefined) {
    if (!op.keep) return { status: 'unknown-hold' };
    const nothing = {
      open: false,
      ended: false,
      cycle: 0,
      at: 0,
      user: '',
      groups: '',
      action: '',
      key: '',
      model: '',
      items: [],
    };
    orgState.putHold(op.hold, { ...nothing, expiresAt: now + TOMBSTONE_MS }, undefined);
    return { status: 'released' };
  }
  if (neverRan(hold)) return { status: 'released' };
  const cycle = cycleOf(work, hold.cycle);
  if (cycle === undefined) return { status: 'other-cycle' };
  const moves = hold.items.map((item) => ({
    item: { ...item, charged: 0 },
    consumed: hold.open && !item.fixed ? 0 : -item.charged,
    held: hold.open && !item.fixed ? -item.units : 0,
  }));
  move(work, cycle, hold, moves, false);
  if (hold.open && !op.keep) orgState.dropHold(op.hold, hold);
  else {
    const expiresAt = hold.open ? now + TOMBSTONE_MS : hold.expiresAt;
    const items = moves.map((m) => m.item);
    orgState.putHold(
      op.hold,
      { ...hold, open: false, ended: hold.ended || !op.keep, items, expiresAt },
      hold,
    );
  }
  return { status: 'released' };
}

export function renew(work: Work, op: RenewOp): Result {
  const { orgState, now } = work;
  const hold = orgState.hold(op.hold);
  if (hold === undefined) return { status: 'unknown-hold' };
  const again = !hold.open && !hold.ended && !neverRan(hold) && op.more.some((units) => units > 0);
  if (!hold.open && !again) return { status: 'expired-hold' };
  const cycle = cycleOf(work, hold.cycle);
  if (cycle === undefined) return { status: 'other-cycle' };
  if (again) return holdAgain(work, cycle, hold, op);
  const noted = hold.items.map((item, index) => {
    return item.fixed ? item : { ...item, charged: op.units[index] ?? item.charged };
  });
  const renewed = { ...hold, items: noted, expiresAt: now + op.ttlMs };
  // Must run before the check: the hold itself may be due, and the check expires due holds.
  orgState.putHold(op.hold, renewed, hold);
  const more = hold.items.map((item, index) => (item.fixed ? 0 : (op.more[index] ?? 0)));
  const asked = hold.items.flatMap((item, index): ChargeItem[] => {
    const units = more[index] ?? 0;
    return units > 0 ? [{ quota: item.quota, units, kind: 'held' }] : [];
  });
  if (asked.length === 0) return { status: 'renewed' };
  const lines = asked.map((item) => linesOf(work, cycle, item.quota, hold.user, hold.groups));
  const refused = refusedMore(work, asked, lines, hold.groups);
  if (refused !== undefined) return refused;
  for (const [index, item] of asked.entries())
    for (const line of lines[index] ?? []) change(work, line, 0, item.units, hold.user, hold.action);
  const items = noted.map((item, index) => ({ ...item, units: item.units + (more[index] ?? 0) }));
  orgState.putHold(op.hold, { ...renewed, items }, renewed);
  return { status: 'renewed' };
}

/**
 * Extends a hold that is gone while its answer continues. The full amount is held again, if it fits beside what was
 * charged so far. The earlier charge is returned, because it is held now.
 */
function holdAgain(work: Work, cycle: OpenCycle, hold: HoldRecord, op: RenewOp): Result {
  const { orgState, now } = work;
  const moves = hold.items.map((item, index): Move => {
    if (item.fixed) return { item, consumed: 0, held: 0 };
    const wanted = op.more[index] ?? 0;
    const whole = wanted > 0 ? Math.max(item.units, item.charged) + wanted : item.charged;
    const noted = { ...item, units: whole, charged: op.units[index] ?? item.charged };
    return { item: noted, consumed: -item.charged, held: whole };
  });
  const asked = moves.flatMap(({ item, consumed, held }): ChargeItem[] =>
    held + consumed > 0 ? [{ quota: item.quota, units: held + consumed, kind: 'held' }] : [],
  );
  const lines = asked.map((item) => linesOf(work, cycle, item.quota, hold.user, hold.groups));
  // Must run before the check: the tombstone itself may be due.
  const kept = { ...hold, expiresAt: now + TOMBSTONE_MS };
  orgState.putHold(op.hold, kept, hold);
  const refused = refusedMore(work, asked, lines, hold.groups);
  if (refused !== undefined) return refused;
  move(work, cycle, hold, moves, true);
  const items = moves.map((m) => m.item);
  orgState.putHold(op.hold, { ...hold, open: true, items, expiresAt: now + op.ttlMs }, kept);
  return { status: 'renewed' };
}

/** Returns undefined if all additional units fit. */
function refusedMore(
  work: Work,
  asked: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
  groups: string,
): Result | undefined {
  const { hard } = checkLimitsAfterExpiry(work, asked, lines);
  if (hard.length === 0) return undefined;
  return refusal(groups, hard, findBindingLimits(work, asked, lines));
}

export function refund(work: Work, op: RefundOp): Result {
  const cycle = cycleOf(work, op.cycle);
  if (cycle === undefined) return { status: 'other-cycle' };
  if (!work.orgState.hasRun(op.call)) return { status: 'unproven' };
  const { action, items, model = '' } = op.charges;
  const back: string[] = [];
  for (const item of items) {
    if (item.kind !== 'fixed') continue;
    const lines = linesOf(work, cycle, item.quota, op.user, op.groups);
    const units = unitsOn(work, lines, item.units);
    back.push(`${item.quota}=${-units}`);
    for (const line of lines) change(work, line, -units, 0, op.user, action);
  }
  if (back.length > 0) {
    const detail = lineDetail(op.key ?? '', model);
    work.journal.push(`${op.at}|${op.user}|${op.groups}|${action}|${back.join(',')}|${detail}`);
  }
  return { status: 'refunded' };
}
