/** Charges without a decision, for requests that were served while the ledger was unavailable. */
import { GROUPS_MAX } from '../../quota/charge.js';
import { lineDetail, type Member, rawsText } from '../codec.js';
import type { ChargeOp, Settled } from '../port.js';
import { memberIn } from './codec-cache.js';
import { admitMember, knownGroups } from './decide.js';
import { pastLimits } from './expire.js';
import { change, linesOf, type OpenCycle, type Work } from './limit-counters.js';

export function chargeServed(work: Work, op: ChargeOp): Settled {
  const cycle = cycleBegunBy(work, op.at);
  const at = timeIn(work, cycle, op.at);
  const groups = knownGroups(work, memberCharged(work, op.user), op.claims).slice(0, GROUPS_MAX).join(',');
  const { action, items, model = '' } = op.charges;
  const charged: string[] = [];
  const overshoot = items.map(({ quota, units }) => {
    const lines = linesOf(work, cycle, quota, op.user, groups);
    for (const line of lines) change(work, line, units, 0, op.user, action);
    charged.push(`${quota}=${units}`);
    return pastLimits(work, units, lines);
  });
  const mark = op.estimated ? 'e' : '';
  const detail = lineDetail(op.key ?? '', model, rawsText(op.raws));
  work.journal.push(`${at}|${op.user}|${groups}|${action}|${charged.join(',')}|${mark}${detail}`);
  return { status: 'settled', overshoot, late: true };
}

/** Returns the latest cycle of the call that had begun by then; the present one if none had. */
function cycleBegunBy({ present, cycles }: Work, at: number): OpenCycle {
  if (at >= present.start) return present;
  let found: OpenCycle | undefined;
  for (const cycle of cycles) if (cycle.start <= at && cycle.start >= (found?.start ?? 0)) found = cycle;
  return found ?? present;
}

/** Returns the time within the cycle that is nearest to `at`, so that history and counters agree. */
function timeIn({ orgState, now }: Work, cycle: OpenCycle, at: number): number {
  const end = cycle.present ? undefined : orgState.table('cycles').text(String(cycle.start));
  return Math.max(cycle.start, Math.min(at, end === undefined ? now : Number(end) - 1));
}

/** Registers the user as a request would. A user who would be refused is charged anyway. */
function memberCharged(work: Work, user: string): Member {
  const admitted = admitMember(work, user);
  if (typeof admitted !== 'string') return admitted;
  const text = work.orgState.directory('members', user);
  return text === undefined ? { status: 'removed', groups: [] } : memberIn(text);
}
