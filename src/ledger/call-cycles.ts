/**
 * The cycles that a call names: first the one assumed to be present, then closed ones whose holds the call may touch.
 */
import { type Bounds, type CycleRule, successorOf } from '../quota/cycle.js';
import type { Reply } from './port.js';

/**
 * Adds a closed cycle, once. `start` 0: there is no closed cycle. If the present cycle is unknown, no cycle is named.
 */
export function withClosed(cycles: readonly Bounds[], start: number): readonly Bounds[] {
  if (start === 0 || cycles.length === 0 || cycles.some((cycle) => cycle.start === start)) return cycles;
  // Only the start of a closed cycle is used.
  return [...cycles, { start, end: start }];
}

/**
 * Returns the bounds of the present cycle by the org's answer; if that cycle is over, those of its successor by the org's time. Names
 * the previous cycle too: its holds may still be due or be settled. Throws if this process cannot apply the rule: time zones differ
 * by version.
 */
export function cyclesNow({ cycle, rule, now, previous }: Reply): readonly Bounds[] {
  const isOver = now >= cycle.end;
  const present = isOver ? successorOf(cycle, JSON.parse(rule) as CycleRule, now) : cycle;
  return withClosed(withClosed([present], cycle.start), previous);
}
