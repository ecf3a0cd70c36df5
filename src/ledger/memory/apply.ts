/** A call on a book, in the order that the port's prose names: epoch, lane, cycle, due holds, operations, crossings. */
import {
  type Call,
  type CallCode,
  LANE_YOUNG_MS,
  type Op,
  type ReleaseOp,
  type Reply,
  type Result,
} from '../port.js';
import type { Book } from './book.js';
import { chargeServed } from './charge.js';
import { noteCrossings } from './crossings.js';
import { reserve } from './decide.js';
import { expireDue } from './expire.js';
import { refund, release, renew, settle } from './holds.js';
import type { OpenCycle, Work } from './lines.js';
import { enterCycle, presentCycle } from './roll.js';

/**
 * `clock`: what the clock shows, in ms; the book's time never goes back behind what it saw. `latest`: the latest time that it
 * can show, 0 where that is not known.
 */
export function applyCall(book: Book | undefined, call: Call, clock: number, latest: number): Reply {
  const outside = answeredBefore(book, call, clock);
  if (typeof outside !== 'string') return outside;
  if (book === undefined || outside !== 'ok') return { ...NOTHING, code: outside, clock };
  const now = Math.max(clock, book.org.number('now'));
  if (latest > 0 && clock > latest) return { ...standing(book, 'clock', now), clock };
  if (!enterCycle(book, call, now)) return { ...standing(book, 'cycle', now), clock };
  book.org.set('now', now);
  const work = workOn(book, call, now);
  expireDue(work, call.expireMost);
  const results = call.ops.map((op) => perform(work, op));
  noteCrossings(work);
  if (work.journal.length > 0) book.append('journal', work.journal.join('\n'), now);
  const { lines, expired, dueIn, clipped } = work;
  const reply: Reply = { ...standing(book, 'ok', now), lines, expired, dueIn, clipped, clock, results };
  if (call.lane !== '') book.lanes.set(call.lane, { seq: call.seq, reply });
  return reply;
}

/** The answer of a call that ran before; else `ok` where it may run, or why not. */
function answeredBefore(book: Book | undefined, call: Call, clock: number): Reply | CallCode {
  const epoch = book?.org.text('epoch');
  if (book === undefined || epoch === undefined) return wasThere(book, call) ? 'lost' : 'no-org';
  if (call.epoch !== '' && call.epoch !== epoch) return 'lost';
  if (call.lane === '') return 'ok';
  const lane = book.lanes.get(call.lane);
  if (lane === undefined) return call.seq > 1 || isOld(call.lane, clock) ? 'lane-lost' : 'ok';
  if (call.seq === lane.seq) return repeated(lane.reply, call.ops);
  if (call.seq < lane.seq) return 'stale';
  // What came between was answered once, and is missing here: a fail-over or a backup lost it.
  return call.seq > lane.seq + 1 ? 'lane-behind' : 'ok';
}

/** Whether the book may have forgotten the lane. */
function isOld(lane: string, clock: number): boolean {
  const born = /@(\d+)$/.exec(lane)?.[1];
  return born !== undefined && Math.abs(clock - Number(born)) > LANE_YOUNG_MS;
}

function wasThere(book: Book | undefined, call: Call): boolean {
  return call.epoch !== '' || book?.org.text('state') === 'lost';
}

function repeated(reply: Reply, ops: readonly Op[]): Reply {
  const results = reply.results.map((result, index): Result => {
    const withheld = (ops[index]?.kind ?? 'none') === 'none' && 'tight' in result;
    return withheld ? { ...result, violated: [], tight: [] } : result;
  });
  return { ...reply, replayed: true, results };
}

function workOn(book: Book, call: Call, now: number): Work {
  const start = book.org.number('start');
  const present = openCycle(book, start, true);
  const older = call.cycles.filter((cycle) => cycle.start !== start);
  const cycles = [present, ...older.map((cycle) => openCycle(book, cycle.start, false))];
  const counts = { lines: 0, expired: 0, dueIn: 0, clipped: 0, noneDue: false };
  return { book, call, now, cycles, present, changed: [], journal: [], ...counts };
}

function openCycle(book: Book, start: number, present: boolean): OpenCycle {
  const consumed = book.table(`consumed:${start}`);
  return { start, present, consumed, held: book.table(`held:${start}`), lines: new Map() };
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
    case 'none':
      return { status: 'none' };
  }
}

/** An act of an admin leaves its entry in the same step. */
function releaseByHand(work: Work, op: ReleaseOp): Result {
  const result = release(work, op);
  if (op.audit !== undefined && result.status === 'released') work.book.append('audit', op.audit, work.now);
  return result;
}

/** What is said to a call that found no book to stand on. */
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
  clock: 0,
  results: [],
};

function standing(book: Book, code: CallCode, now: number): Reply {
  const { org } = book;
  return {
    ...NOTHING,
    code,
    now,
    cycle: presentCycle(book),
    previous: org.number('prev'),
    rule: code === 'cycle' ? (org.text('rule') ?? '') : '',
    ruleVersion: org.number('ruleVersion'),
    epoch: org.text('epoch') ?? '',
  };
}
