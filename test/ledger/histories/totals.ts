/** Counts which outcomes and which rules of docs/rules.md a reply has exercised. */
import { decodeMember, decodePlan } from '../../../src/ledger/codec.js';
import type { Call, Op, Reply, ReserveOp, Result, Violation } from '../../../src/ledger/port.js';
import { lineOf } from '../../../src/quota/id.js';
import type { State } from './invariants.js';
import type { Tally } from './random.js';
import { CYCLE_MS } from './world.js';

export function tallyReply(tally: Tally, before: State, after: State, call: Call, reply: Reply): void {
  tally.hit(reply.replayed ? 'call replayed' : `call ${reply.code}`);
  if (reply.code !== 'ok' || reply.replayed) return;
  tally.hit('rule 9: hold or tombstone expired', reply.expired);
  if (reply.dueIn > 0) tally.hit('rule 9: due holds in a cycle not named');
  tallyRoll(tally, before, after);
  const notices = tallyNotices(before, after);
  if (notices) tally.hit('notice marked');
  for (const [index, result] of reply.results.entries()) {
    const op = call.ops[index];
    if (op === undefined) continue;
    tally.hit(outcome(op, result));
    if (op.kind === 'reserve') tallyReserve(tally, before, call, index, result, reply);
    else if (op.kind !== 'charge') tallyHold(tally, before, op, result);
  }
}

function outcome(op: Op, result: Result): string {
  if (result.status === 'admitted') return result.duplicate ? 'reserve: duplicate' : 'reserve: admitted';
  if (result.status === 'adjusted') return `adjust: ${result.outcome}`;
  return 'reason' in result ? `${op.kind}: ${result.reason}` : `${op.kind}: ${result.status}`;
}

function tallyRoll(tally: Tally, before: State, after: State): void {
  const [from, to] = [Number(before.org.start), Number(after.org.start)];
  if (from === to) return;
  tally.hit('rule 7: cycle rolled');
  if (Object.keys(before.org).some((field) => field.startsWith('next:')))
    tally.hit('rule 11: a plan began with the cycle');
  if (to - from > CYCLE_MS) tally.hit('rule 11: skipped cycles closed as one');
  for (const quota of ['usage', 'ai']) {
    const used = Number(before.org[`extra:${quota}`] ?? 0) - Number(after.org[`extra:${quota}`] ?? 0);
    if (used > 0) tally.hit('rule 11: extra used, written at the close');
    if (Number(after.org[`carry:${quota}`] ?? 0) > 0) tally.hit('rule 11: hold in extra carried');
  }
}

function tallyNotices(before: State, after: State): boolean {
  const marks = (state: State): string =>
    JSON.stringify(
      Object.entries(state.cycles.find((cycle) => cycle.present)?.consumed ?? {}).filter(isMark),
    );
  return marks(before) !== marks(after);
}

const isMark = ([field]: [string, string]): boolean => field.startsWith('!mark');

function tallyReserve(
  tally: Tally,
  before: State,
  call: Call,
  index: number,
  result: Result,
  reply: Reply,
): void {
  const op = call.ops[index];
  if (op?.kind !== 'reserve') return;
  const gated = op.charges.items.some((item) => item.kind === 'gate');
  if (gated && result.status === 'admitted') tally.hit('rule 3: gate open');
  const carried = op.charges.items.some((item) => Number(before.org[`carry:${item.quota}`] ?? 0) > 0);
  if (carried && (result.status === 'admitted' || result.status === 'refused'))
    tally.hit('rule 11: decided beside a carried hold');
  if (result.status === 'admitted')
    for (const one of result.violated) tallyLenient(tally, before, one, op.user);
  tallyGrant(tally, op, result);
  if (result.status === 'admitted' && costlierRefused(call, index, reply))
    tally.hit('rule 14: cheaper admitted');
  if (result.status !== 'refused') return;
  const scopes = new Set(result.violated.map((one) => one.scope));
  for (const scope of scopes) tally.hit(`rule 1: ${scope} limit refuses`);
  if (scopes.size === 1 && scopes.has('group')) tally.hit('rule 2: blocked by the group alone');
  if (gated && result.violated.some((one) => one.requested === 0)) tally.hit('rule 3: gate closed');
  for (const one of result.violated) {
    if (one.consumed > one.limit) tally.hit('rule 6: refused, for the limit lies below what is consumed');
    const limit = before.limits[lineOf(one.quota, one.scope, one.scope === 'user' ? op.user : one.group)];
    if (limit?.startsWith('p')) tally.hit('rule 10: percent cap refuses');
  }
}

/** A reservation with a least, answered for the first time. */
function tallyGrant(tally: Tally, { charges: { items } }: ReserveOp, result: Result): void {
  const ranges = items.filter(({ least }) => least !== undefined);
  if (ranges.length === 0) return;
  if (result.status === 'refused') tally.hit('reserve: the least refused');
  if (result.status !== 'admitted' || result.duplicate) return;
  const isLess = items.some(({ units }, index) => (result.granted?.[index] ?? 0) < units);
  tally.hit(isLess ? 'reserve: less granted' : 'reserve: the most granted');
  if (isLess && ranges.length > 1) tally.hit('reserve: less granted of several items');
}

function tallyLenient(tally: Tally, before: State, one: Violation, user: string): void {
  if (one.scope !== 'org') tally.hit('rule 4: past a limit in shadow');
  else if (decodePlan(before.org[`plan:${one.quota}`] ?? '0:s').mode === 'soft')
    tally.hit('rule 4: past a soft pool');
  else tally.hit('rule 4: past a pool in shadow');
  if (before.limits[lineOf(one.quota, 'user', user)] === undefined)
    tally.hit('rule 4: counted without a limit');
}

/** Whether an operation before it in the call, same user and quota, was refused for more units. */
function costlierRefused(call: Call, index: number, reply: Reply): boolean {
  const op = call.ops[index];
  if (op?.kind !== 'reserve') return false;
  return call.ops.slice(0, index).some((earlier, at) => {
    if (earlier.kind !== 'reserve' || earlier.user !== op.user) return false;
    if (reply.results[at]?.status !== 'refused') return false;
    return op.charges.items.some((item) =>
      earlier.charges.items.some((other) => other.quota === item.quota && other.units > item.units),
    );
  });
}

function tallyHold(tally: Tally, before: State, op: Op, result: Result): void {
  if (result.status === 'settled') {
    if (result.late) tally.hit('rule 27: settled late');
    if (result.overshoot.some((units) => units > 0)) tally.hit('rule 16: overshoot');
  }
  if (op.kind !== 'settle' && op.kind !== 'release' && op.kind !== 'renew') return;
  const record = before.holds[op.hold];
  if (record === undefined || !('hold' in op)) return;
  const [, cycle, , user = '', groups = ''] = record.split('|');
  const done = ['settled', 'released', 'renewed', 'refused'].includes(result.status);
  if (!done || user === '') return;
  if (Number(cycle) < Number(before.org.start)) tally.hit('rule 7: hold moved in the cycle of its admission');
  const now = before.members[user];
  const listed = now === undefined ? [] : decodeMember(now).groups.map((one) => one.group);
  if (groups !== '' && groups.split(',').some((group) => !listed.includes(group)))
    tally.hit('rule 13: hold moved in a group its user left');
}
