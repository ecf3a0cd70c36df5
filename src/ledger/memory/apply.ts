/** A call on a book, in the order that the port's prose names: epoch, lane, cycle, due holds, operations, crossings. */
import type { Bounds, Call, CallCode, Op, ReleaseOp, Reply, Result } from '../port.js';
import type { Book } from './book.js';
import { chargeServed } from './charge.js';
import { noteCrossings } from './crossings.js';
import { reserve } from './decide.js';
import { expireDue } from './expire.js';
import { refund, release, renew, settle } from './holds.js';
import type { OpenCycle, Work } from './lines.js';
import { enterCycle, presentCycle } from './roll.js';

/** `clock`: the store's time in ms; the book's never goes back behind what it saw. */
export function applyCall(book: Book | undefined, call: Call, clock: number): Reply {
  const epoch = book?.org.text('epoch');
  if (book === undefined || epoch === undefined) return outside(wasThere(book, call) ? 'lost' : 'no-org');
  if (call.epoch !== '' && call.epoch !== epoch) return outside('lost');
  const lane = call.lane === '' ? undefined : book.lanes.get(call.lane);
  if (lane !== undefined && call.seq === lane.seq) return repeated(lane.reply, call.ops);
  if (lane !== undefined && call.seq < lane.seq) return outside('stale');
  if (call.lane !== '' && lane === undefined && call.seq > 1) return outside('lane-lost');
  // What came between was answered once, and is missing here: a fail-over or a backup lost it.
  if (lane !== undefined && call.seq > lane.seq + 1) return outside('lane-behind');
  const now = Math.max(clock, book.org.number('now'));
  if (!enterCycle(book, call, now)) return standing(book, 'cycle', now);
  book.org.set('now', now);
  const work = workOn(book, call, now);
  expireDue(work, call.expireMost);
  const results = call.ops.map((op) => perform(work, op));
  noteCrossings(work);
  if (work.journal.length > 0) book.append('journal', work.journal.join('\n'), now);
  const { lines, expired, dueIn, clipped } = work;
  const reply: Reply = { ...standing(book, 'ok', now), lines, expired, dueIn, clipped, results };
  if (call.lane !== '') book.lanes.set(call.lane, { seq: call.seq, reply });
  return reply;
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

const NO_CYCLE: Bounds = { start: 0, end: 0 };
const NOTHING = { replayed: false, lines: 0, expired: 0, dueIn: 0, clipped: 0, results: [] };

/** An answer to a call that found no book to stand on. */
function outside(code: CallCode): Reply {
  return { code, now: 0, cycle: NO_CYCLE, previous: 0, rule: '', ruleVersion: 0, epoch: '', ...NOTHING };
}

function standing(book: Book, code: CallCode, now: number): Reply {
  const { org } = book;
  return {
    code,
    now,
    cycle: presentCycle(book),
    previous: org.number('prev'),
    rule: code === 'cycle' ? (org.text('rule') ?? '') : '',
    ruleVersion: org.number('ruleVersion'),
    epoch: org.text('epoch') ?? '',
    ...NOTHING,
  };
}
