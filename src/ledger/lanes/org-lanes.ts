/** The lanes of one org: which call goes when, and what is done about one that got no answer. */
import { randomBytes } from 'node:crypto';
import { ProblemError } from '../../errors/catalogue.js';
import { type CycleRule, successorOf } from '../../quota/cycle.js';
import type { Bounds, Call, Op, Reply, Result } from '../port.js';
import { StoreError } from '../port.js';
import type { Lanes, LanesOptions, Pending } from './index.js';
import { unavailable } from './index.js';

type Options = LanesOptions & { readonly callsInFlight: number };

interface Lane {
  readonly id: string;
  /** Number of the last call that was answered. */
  seq: number;
}

/** One call's worth, with the operations as they are to be sent now. */
interface Batch {
  readonly pendings: readonly Pending[];
  retries: number;
  cycleTries: number;
  /** It was sent and got no answer: it may have run. */
  inDoubt: boolean;
  /** It takes one of the places for calls in flight; one that is being found out about does not. */
  counted: boolean;
}

/** A script call holds Redis for about 2 ms at this many counter lines. */
const LINES_MAX = 500;
const OPS_MAX = 256;
const EXPIRE_MOST = 8;
/** Bounds change once a cycle; more tries than this mean that the clocks of store and rule disagree. */
const CYCLE_TRIES_MAX = 5;
const RETRY_FIRST_MS = 20;
const RETRY_LAST_MS = 500;
/** Lanes in doubt are set aside and new ones taken, up to here. */
const LANES_MAX = 16;

const NONE: Op = { kind: 'none' };

export class OrgLanes {
  private readonly waiting: Pending[] = [];
  private readonly free: Lane[] = [];
  private lanes = 0;
  private inFlight = 0;
  private scheduled = false;
  private closed = false;
  private epoch = '';
  private ruleVersion = 0;
  private cycles: readonly Bounds[] = [];
  private linesPerOp = 4;
  private readonly retries = new Set<NodeJS.Timeout>();

  constructor(
    private readonly org: string,
    private readonly options: Options,
    private readonly all: Lanes,
  ) {}

  get idle(): boolean {
    return this.waiting.length === 0 && this.lanes === this.free.length;
  }

  add(pending: Pending): void {
    this.waiting.push(pending);
    this.schedule();
  }

  close(): void {
    this.closed = true;
    for (const timer of this.retries) clearTimeout(timer);
  }

  /** All that this turn of the event loop reads from its sockets goes in one call. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.pump);
  }

  private readonly pump = (): void => {
    this.scheduled = false;
    while (this.waiting.length > 0 && this.inFlight < this.options.callsInFlight) {
      const lane = this.takeLane();
      if (lane === undefined) return;
      const batch = this.takeBatch();
      if (batch.pendings.length === 0) {
        this.free.push(lane);
        return;
      }
      this.inFlight += 1;
      this.send(lane, batch);
    }
  };

  private takeLane(): Lane | undefined {
    const free = this.free.pop();
    if (free !== undefined) return free;
    if (this.lanes >= LANES_MAX) return undefined;
    this.lanes += 1;
    return newLane();
  }

  /** Takes waiting operations in their order, as many as a call may have lines; those given up meanwhile fall out. */
  private takeBatch(): Batch {
    const most = Math.max(1, Math.min(OPS_MAX, Math.floor(LINES_MAX / this.linesPerOp)));
    const pendings: Pending[] = [];
    let taken = 0;
    for (const pending of this.waiting) {
      if (pendings.length === most) break;
      taken += 1;
      if (!pending.over) pendings.push(pending);
    }
    this.waiting.splice(0, taken);
    return { pendings, retries: 0, cycleTries: 0, inDoubt: false, counted: true };
  }

  private send(lane: Lane, batch: Batch): void {
    const call: Call = {
      org: this.org,
      epoch: this.epoch,
      lane: lane.id,
      seq: lane.seq + 1,
      ruleVersion: this.ruleVersion,
      cycles: this.cyclesFor(batch),
      unknownUsers: this.options.unknownUsers,
      expireMost: EXPIRE_MOST,
      // A decision that nobody waits for any more must not happen; if it has, the first answer tells.
      ops: batch.pendings.map((pending) => (pending.over ? NONE : pending.op)),
    };
    this.options.ledger.apply(call).then(
      (reply) => this.answered(lane, batch, reply),
      (error: unknown) => this.silent(lane, batch, error),
    );
  }

  private cyclesFor(batch: Batch): readonly Bounds[] {
    let cycles = this.cycles;
    for (const { cycle } of batch.pendings) {
      if (cycle === 0 || cycles.some((known) => known.start === cycle)) continue;
      // Only a closed cycle's start counts.
      if (cycles.length > 0) cycles = [...cycles, { start: cycle, end: cycle }];
    }
    return cycles;
  }

  private answered(lane: Lane, batch: Batch, reply: Reply): void {
    switch (reply.code) {
      case 'ok':
        lane.seq += 1;
        this.learn(reply);
        this.distribute(batch, reply);
        this.release(lane, batch);
        return;
      case 'cycle':
        this.enterCycle(reply);
        batch.cycleTries += 1;
        if (batch.cycleTries <= CYCLE_TRIES_MAX) this.send(lane, batch);
        else this.fail(lane, batch, unavailable('The bounds of the billing cycle could not be agreed on'));
        return;
      case 'no-org':
        this.fail(lane, batch, new ProblemError('unknown-org', `There is no organization ${this.org}`));
        return;
      case 'lost':
        this.options.onTrouble?.('store-lost', { org: this.org, epoch: this.epoch });
        this.fail(lane, batch, new ProblemError('store-lost', `The budget data of ${this.org} is missing`));
        return;
      case 'stale':
      case 'lane-lost':
        this.changeLane(batch);
    }
  }

  private learn(reply: Reply): void {
    this.epoch = reply.epoch;
    if (reply.cycle.start !== this.cycles[0]?.start) this.cycles = withPrevious([reply.cycle], reply);
    if (reply.results.length > 0)
      this.linesPerOp = Math.max(1, (this.linesPerOp * 7 + reply.lines / reply.results.length) / 8);
  }

  /** The book says which cycle is present; where that one is over, its successor is computed by the book's time. */
  private enterCycle(reply: Reply): void {
    const { cycle, rule, now } = reply;
    this.ruleVersion = reply.ruleVersion;
    this.epoch = reply.epoch;
    const over = now >= cycle.end;
    const cycles = over ? [successorOf(cycle, JSON.parse(rule) as CycleRule, now), cycle] : [cycle];
    this.cycles = withPrevious(cycles, reply);
  }

  private distribute(batch: Batch, reply: Reply): void {
    for (const [index, pending] of batch.pendings.entries()) {
      const result = reply.results[index];
      if (result === undefined) continue;
      if (pending.over) this.giveBack(pending, result, reply);
      else {
        pending.over = true;
        pending.resolve({ result, now: reply.now, cycle: reply.cycle });
      }
    }
  }

  /** It was admitted after its caller had been told that the store did not answer: nothing was served for it. */
  private giveBack(pending: Pending, result: Result, reply: Reply): void {
    const { op } = pending;
    if (op.kind !== 'reserve' || result.status !== 'admitted') return;
    const { charges, hold } = op;
    const user = result.user ?? op.user;
    const back: Op =
      hold === ''
        ? { kind: 'refund', user, groups: result.groups, charges, cycle: reply.cycle.start, at: reply.now }
        : { kind: 'release', hold, keep: false };
    this.all.owe(this.org, back, reply.cycle.start).catch(() => undefined);
  }

  private release(lane: Lane, batch: Batch): void {
    this.free.push(lane);
    this.uncount(batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private uncount(batch: Batch): void {
    if (batch.counted) this.inFlight -= 1;
    batch.counted = false;
  }

  private fail(lane: Lane, batch: Batch, error: ProblemError): void {
    for (const pending of batch.pendings) {
      if (pending.over) continue;
      pending.over = true;
      if (pending.owed)
        this.options.onTrouble?.('settlement-undeliverable', { org: this.org, op: pending.op });
      pending.reject(error);
    }
    this.release(lane, batch);
  }

  /**
   * No answer. The decisions of the batch are over; what is owed is sent again under the same number, so that it happens
   * once however often it arrives, and the answer tells which decisions had run after all.
   */
  private silent(lane: Lane, batch: Batch, error: unknown): void {
    const mayHaveRun = !(error instanceof StoreError) || error.ran !== false;
    batch.inDoubt ||= mayHaveRun;
    for (const pending of batch.pendings) {
      if (pending.over || pending.owed) continue;
      pending.over = true;
      pending.reject(unavailable('The store gave no answer'));
    }
    this.uncount(batch);
    const owes = batch.pendings.some((pending) => !pending.over);
    if (!batch.inDoubt && !owes) this.free.push(lane);
    else this.retry(lane, batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private retry(lane: Lane, batch: Batch): void {
    batch.retries += 1;
    const delayMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(batch.retries, 10));
    const timer = setTimeout(() => {
      this.retries.delete(timer);
      if (!this.closed) this.send(lane, batch);
    }, delayMs);
    this.retries.add(timer);
  }

  /** The book has forgotten the lane: refunds that may have happened are left, for once too few beats once too often. */
  private changeLane(batch: Batch): void {
    const lane = newLane();
    if (!batch.inDoubt) {
      this.send(lane, batch);
      return;
    }
    const kept: Pending[] = [];
    for (const pending of batch.pendings) {
      if (pending.over) continue;
      if (pending.op.kind !== 'refund') kept.push(pending);
      else {
        pending.over = true;
        this.options.onTrouble?.('refund-in-doubt', { org: this.org, op: pending.op });
        pending.reject(unavailable('It cannot be told whether the refund happened'));
      }
    }
    this.send(lane, { ...batch, pendings: kept });
  }
}

function newLane(): Lane {
  return { id: randomBytes(9).toString('base64url'), seq: 0 };
}

/** Holds of the cycle before may still be due, or be settled. */
function withPrevious(cycles: readonly Bounds[], { previous }: Reply): readonly Bounds[] {
  if (previous === 0 || cycles.some((cycle) => cycle.start === previous)) return cycles;
  return [...cycles, { start: previous, end: previous }];
}
