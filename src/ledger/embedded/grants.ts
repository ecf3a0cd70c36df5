/** What is granted of a charge between its least and its most. */
import { type ChargeItem, UNITS_MAX } from '../../quota/charge.js';
import { capOfLine, type LimitCounter, type Work } from './limit-counters.js';

export function hasLeast(items: readonly ChargeItem[]): boolean {
  return items.some(({ least }) => least !== undefined);
}

/** The items at their least. */
export function leastOf(items: readonly ChargeItem[]): ChargeItem[] {
  return items.map((item) => ({ ...item, units: item.least ?? item.units }));
}

/**
 * The items with what remains, between their least and their units. All get the same share of their range, rounded up. Must only
 * be called if every least fits.
 */
export function grantedItems(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
): ChargeItem[] {
  const allowed = items.map((item, index) => allowedOf(work, item.units, lines[index] ?? []));
  let share = 1;
  for (const [index, { units, least }] of items.entries()) {
    const most = allowed[index] ?? units;
    if (least !== undefined && most < units) share = Math.min(share, (most - least) / (units - least));
  }
  return items.map((item, index) => {
    const { units, least } = item;
    if (least === undefined) return item;
    const granted = least + Math.ceil(share * (units - least));
    return { ...item, units: Math.min(granted, allowed[index] ?? granted) };
  });
}

/** Returns how many of these units the lines allow. Soft pools and shadow limits allow what can be counted exactly. */
function allowedOf(work: Work, units: number, lines: readonly LimitCounter[]): number {
  let allowed = units;
  for (const line of lines) {
    const cap = capOfLine(work, line);
    const isHard = cap.mode === 'hard' || cap.mode === 'none';
    const limit = isHard ? cap.limit : UNITS_MAX;
    allowed = Math.min(allowed, limit - line.consumed - line.held - cap.carried);
  }
  return allowed;
}
