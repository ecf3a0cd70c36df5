/** Finds the present cycle of an org and starts the next one. */
import type { Bounds, Call } from '../port.js';
import { extraTaken } from './limit-counters.js';
import type { OrgState } from './org-state.js';

export function presentCycle(orgState: OrgState): Bounds {
  return { start: orgState.org.number('start'), end: orgState.org.number('end') };
}

/**
 * Returns whether the call's first cycle is the org's present one. The org rolls first if its cycle is over, and if the
 * call's cycle is its successor, was computed by the present rule, and names the closed cycle.
 */
export function enterCycle(orgState: OrgState, call: Call, now: number): boolean {
  const present = presentCycle(orgState);
  const asked = call.cycles[0];
  if (asked === undefined) return false;
  if (now < present.end) return asked.start === present.start;
  const successor =
    asked.start >= present.end &&
    asked.start <= now &&
    now < asked.end &&
    call.ruleVersion === orgState.org.number('ruleVersion') &&
    call.cycles.some((cycle) => cycle.start === present.start);
  if (successor) roll(orgState, present, asked);
  return successor;
}

/** Closes the present cycle: subtracts the extra that it used, and carries the extra that its holds may still use. */
function roll(orgState: OrgState, present: Bounds, next: Bounds): void {
  const { org } = orgState;
  const consumed = orgState.table(`consumed:${present.start}`);
  const held = orgState.table(`held:${present.start}`);
  for (const [field, value] of [...org.map]) {
    if (!field.startsWith('plan:')) continue;
    const quota = field.slice('plan:'.length);
    const line = `${quota}:o`;
    const allowance = Number(String(value).split(':')[0]);
    const extra = Math.max(0, org.number(`extra:${quota}`));
    const taken = extraTaken(allowance, extra, consumed.number(line), held.number(line));
    if (taken.used > 0) org.set(`extra:${quota}`, extra - taken.used);
    if (taken.carried > 0) org.set(`carry:${quota}`, org.number(`carry:${quota}`) + taken.carried);
    consumed.set(`!closed:${quota}`, `${allowance}:${extra}`);
  }
  beginPlans(orgState);
  orgState.table('cycles').set(String(present.start), present.end);
  org.set('prev', present.start);
  org.set('start', next.start);
  org.set('end', next.end);
  // Values that were read before the roll must not be written after it.
  org.set('version', org.number('version') + 1);
}

/** Plans that were set for the cycle that begins. */
function beginPlans({ org }: OrgState): void {
  for (const [field, plan] of [...org.map]) {
    if (!field.startsWith('next:')) continue;
    org.set(`plan:${field.slice('next:'.length)}`, plan);
    org.delete(field);
  }
}
