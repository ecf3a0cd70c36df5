/** Checks a charge against every limit that applies. */
import { type ChargeItem, UNITS_MAX } from '../../quota/charge.js';
import type { BindingLimit, Refused, Violation } from '../port.js';
import { type Cap, capOfLine, type LimitCounter, type Work } from './limit-counters.js';

export interface LimitCheck {
  /** Exceeded limits that refuse. */
  readonly hard: readonly Violation[];
  /** Exceeded limits that are only reported: soft pools, shadow limits. */
  readonly lenient: readonly Violation[];
}

export function checkLimits(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
): LimitCheck {
  const hard: Violation[] = [];
  const lenient: Violation[] = [];
  for (const [index, item] of items.entries()) {
    for (const line of lines[index] ?? []) {
      const cap = capOfLine(work, line);
      if (fits(line, cap, item.units, cap.limit)) continue;
      if (cap.mode === 'hard' || cap.mode === 'none') hard.push(violation(line, cap, item));
      // Above this maximum, counting would not be exact, so it also binds soft and shadow limits.
      else if (!fits(line, cap, item.units, UNITS_MAX))
        hard.push(violation(line, { ...cap, limit: UNITS_MAX }, item));
      else if (item.kind !== 'gate') lenient.push(violation(line, cap, item));
    }
  }
  return { hard, lenient };
}

/** A charge of 0 units requires that the smallest unit remains, and consumes none. */
function fits(line: LimitCounter, cap: Cap, units: number, limit: number): boolean {
  return line.consumed + line.held + cap.carried + (units === 0 ? 1 : units) <= limit;
}

function violation(line: LimitCounter, cap: Cap, item: ChargeItem): Violation {
  return {
    quota: line.quota,
    scope: line.scope,
    group: line.scope === 'group' ? line.subject : '',
    limit: cap.limit,
    consumed: line.consumed,
    held: line.held + cap.carried,
    requested: item.units,
  };
}

/** Returns whether the charge would not fit even without the open holds. */
export function isSpent(violated: Violation): boolean {
  return violated.consumed + Math.max(1, violated.requested) > violated.limit;
}

/** A refusal; its primary violation is the first spent one, or the first if none is spent. */
export function refusal(
  groups: string,
  violated: readonly Violation[],
  bindingLimits: readonly BindingLimit[],
): Refused {
  const spent = violated.findIndex(isSpent);
  const reason = spent < 0 ? 'held' : 'spent';
  return { status: 'refused', reason, primary: Math.max(0, spent), groups, violated, bindingLimits };
}

/** Per charge, the hard limit with the least remaining; the first of equals. */
export function findBindingLimits(
  work: Work,
  items: readonly ChargeItem[],
  lines: readonly LimitCounter[][],
): BindingLimit[] {
  return items.map((item, index) => {
    let binding: BindingLimit = { quota: item.quota, scope: undefined, limit: 0, remaining: 0 };
    for (const line of lines[index] ?? []) {
      const cap = capOfLine(work, line);
      if (cap.mode !== 'hard') continue;
      const remaining = Math.max(0, cap.limit - line.consumed - line.held - cap.carried);
      if (binding.scope !== undefined && remaining >= binding.remaining) continue;
      binding = { quota: item.quota, scope: line.scope, limit: cap.limit, remaining };
    }
    return binding;
  });
}
