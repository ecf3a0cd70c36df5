/** Corrections: an admin changes what a user consumed in the present cycle, whatever the limits say. */
import { UNITS_MAX } from '../../quota/charge.js';
import type { Adjusted, AdjustOp } from '../port.js';
import { memberIn } from './codec-cache.js';
import { knownGroups } from './decide.js';
import { change, type LimitCounter, linesOf, type Work } from './limit-counters.js';

export function adjust(work: Work, op: AdjustOp): Adjusted {
  const { action, user, quota, units, mark } = op;
  const groups = op.groups ?? ownGroups(work, user);
  const lines = linesOf(work, work.present, quota, user, groups);
  const stopped = lines.find(
    ({ consumed, held }) => consumed + units < 0 || consumed + units + held > UNITS_MAX,
  );
  if (stopped === undefined) {
    for (const line of lines) change(work, line, units, 0, user, action);
    work.journal.push(`${work.now}|${user}|${groups}|${action}|${quota}=${units}|`);
    work.orgState.append('audit', op.audit, work.now);
  }
  const [own, org] = [lines[0]?.consumed ?? 0, lines.at(-1)?.consumed ?? 0];
  return { status: 'adjusted', mark, groups, consumed: own, orgConsumed: org, ...outcomeOf(stopped, units) };
}

function outcomeOf(stopped: LimitCounter | undefined, units: number): Pick<Adjusted, 'outcome' | 'at'> {
  if (stopped === undefined) return { outcome: 'corrected' };
  const { scope, subject, consumed } = stopped;
  const outcome = consumed + units < 0 ? 'below-zero' : 'too-large';
  return { outcome, at: { scope, group: scope === 'group' ? subject : '' } };
}

function ownGroups(work: Work, user: string): string {
  const text = work.orgState.directory('members', user);
  return text === undefined ? '' : knownGroups(work, memberIn(text), '').join(',');
}
