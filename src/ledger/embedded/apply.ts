/**
 * Applies a call to an org, in the order that the port's prose defines: epoch, producer, cycle, due holds, operations,
 * crossings.
 */
import {
  type Call,
  type CallCode,
  type Op,
  PRODUCER_YOUNG_MS,
  type ReleaseOp,
  type Reply,
  type Result,
} from '../port.js';
import { adjust } from './adjust.js';
import { chargeServed } from './charge.js';
import { noteCrossings } from './crossings.js';
import { reserve } from './decide.js';
import { expireDue } from './expire.js';
import { refund, release, renew, settle } from './holds.js';
import type { OpenCycle, Work } from './limit-counters.js';
import type { OrgState } from './org-state.js';
import { enterCycle, presentCycle } from './roll.js';

/**
 * `clock`: the reading of the clock, in ms; the org's time never goes back before what it has seen. `latest`: the
 * latest time that the clock can show; 0 if unknown.
 */
export function applyCall(orgState: OrgState | undefined, call: Call, clock: number, latest: number): Reply {
  const outside = answeredBefore(orgState, call, clock);
  if (typeof outside !== 'string') return outside;
  if (orgState === undefined || outside !== 'ok') return { ...NOTHING, code: outside, clock };
  const now = Math.max(clock, orgState.org.number('now'));
  if (latest > 0 && clock > latest) return replyOf(orgState, 'clock', { now, clock });
  if (!enterCycle(orgState, call, now)) return replyOf(orgState, 'cycle', { now, clock });
  orgState.org.set('now', now);
  const work = workOn(orgState, call, now);
  expireDue(work, call.expireMost);
  const results = call.ops.map((op) => perform(work, op));
  noteCrossings(work);
  if (work.journal.length > 0) orgState.append('journal', work.journal.join('\n'), now);
  const reply = replyOf(orgState, 'ok', { now, clock, counts: work, results });
  if (call.producer !== '') orgState.producers.set(call.producer, { seq: call.seq, reply });
  return reply;
}

/** Returns the first answer if the call ran before, `ok` if it may run, or the reason why not. */
function answeredBefore(orgState: OrgState | undefined, call: Call, clock: number): Reply | CallCode {
  const epoch = orgState?.org.text('epoch');
  if (orgState === undefined || epoch === undefined) return wasThere(orgState, call) ? 'lost' : 'no-org';
  if (call.epoch !== '' && call.epoch !== epoch) return 'lost';
  if (call.producer === '') return 'ok';
  const producer = orgState.producers.get(call.producer);
  if (producer === undefined) return call.seq > 1 || isOld(call.producer, clock) ? 'producer-lost' : 'ok';
  if (call.seq === producer.seq) return repeated(producer.reply, call.ops);
  if (call.seq < producer.seq) return 'stale';
  // The calls in between were answered once and are missing here: a fail-over or a backup lost them.
  if (call.seq > producer.seq + 1)
    return { ...NOTHING, code: 'producer-behind', lastCall: producer.seq, clock };
  return 'ok';
}

/** Whether the org may have forgotten the producer. */
function isOld(producer: string, clock: number): boolean {
  const born = /@(\d+)$/.exec(producer)?.[1];
  return born !== undefined && Math.abs(clock - Number(born)) > PRODUCER_YOUNG_MS;
}

function wasThere(orgState: OrgState | undefined, call: Call): boolean {
  return call.epoch !== '' || orgState?.org.text('state') === 'lost';
}

function repeated(reply: Reply, ops: readonly Op[]): Reply {
  const results = reply.results.map((result, index): Result => {
    if ((ops[index]?.kind ?? 'none') !== 'none' || !('bindingLimits' in result)) return result;
    const withheld = { ...result, violated: [], bindingLimits: [] };
    if ('granted' in withheld) delete withheld.granted;
    return withheld;
  });
  return { ...reply, replayed: true, results };
}

function workOn(orgState: OrgState, call: Call, now: number): Work {
  const start = orgState.org.number('start');
  const present = openCycle(orgState, start, true);
  const older = call.cycles.filter((cycle) => cycle.start !== start);
  const cycles = [present, ...older.map((cycle) => openCycle(orgState, cycle.start, false))];
  return {
    orgState,
    call,
    now,
    cycles,
    present,
    changed: [],
    journal: [],
    lines: 0,
    expired: 0,
    dueIn: 0,
    clipped: 0,
    overshoots: [],
    noneDue: false,
  };
}

function openCycle(orgState: OrgState, start: number, present: boolean): OpenCycle {
  const { consumed, held } = orgState.counters(start);
  return { start, present, consumed, held, lines: new Map() };
}

function perform(work: Work, op: Op): Result {
  switch (op.kind) {
    case 'reserve':
      return reserve(work, op);
    case 'settle':
      return settle(work, op);
    case 'release':
      return releaseByHand(work, op);
    case 'renew':
      return renew(work, op);
    case 'refund':
      return refund(work, op);
    case 'charge':
      return chargeServed(work, op);
    case 'refusals':
      work.journal.push(op.lines);
      return { status: 'noted' };
    case 'adjust':
      return adjust(work, op);
    case 'none':
      return { status: 'none' };
  }
}

/** An admin's change writes its audit entry in the same step. */
function releaseByHand(work: Work, op: ReleaseOp): Result {
  const result = release(work, op);
  if (op.audit !== undefined && result.status === 'released')
    work.orgState.append('audit', op.audit, work.now);
  return result;
}

/** The answer to a call that found no org data. */
const NOTHING: Omit<Reply, 'code'> = {
  now: 0,
  cycle: { start: 0, end: 0 },
  previous: 0,
  rule: '',
  ruleVersion: 0,
  epoch: '',
  replayed: false,
  lines: 0,
  expired: 0,
  dueIn: 0,
  clipped: 0,
  overshoots: [],
  clock: 0,
  results: [],
};

interface Outcome {
  readonly now: number;
  readonly clock: number;
  readonly counts?: Pick<Reply, 'lines' | 'expired' | 'dueIn' | 'clipped' | 'overshoots'>;
  readonly results?: Reply['results'];
}

/** Written out, because spreading one object into another costs more than the decision of a small call. */
function replyOf(
  orgState: OrgState,
  code: CallCode,
  { now, clock, counts = NOTHING, results = NOTHING.results }: Outcome,
): Reply {
  const { org } = orgState;
  return {
    code,
    now,
    cycle: presentCycle(orgState),
    previous: org.number('prev'),
    rule: code === 'cycle' ? (org.text('rule') ?? '') : '',
    ruleVersion: org.number('ruleVersion'),
    epoch: org.text('epoch') ?? '',
    replayed: false,
    lines: counts.lines,
    expired: counts.expired,
    dueIn: counts.dueIn,
    clipped: counts.clipped,
    overshoots: counts.overshoots,
    clock,
    results,
  };
}
