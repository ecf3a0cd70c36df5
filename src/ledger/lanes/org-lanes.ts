/** The lanes of one org: which call goes when, and what is done about one that got no answer. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Bounds, Call, Op, Reply, Result } from '../port.js';
import { StoreError } from '../port.js';
import { OrgAlarms } from './alarms.js';
import { type Batch, cyclesNow, isFresh, type Lane, newLane, type Sent, withPrevious } from './batch.js';
import { Loss } from './loss.js';
import { CLOCK_JUMPED, noAnswer, type Pending, unavailable } from './pending.js';
import { OrgQueue } from './queue.js';
import type { OrgLanesOptions, Shared } from './shared.js';
import { jittered } from './turnstile.js';
import { batchOf, callOf, callsOf, type UndeliveredCall } from './undelivered.js';
import type { LanesState } from './watch.js';

const EXPIRE_MOST = 8;
/** Bounds change once a cycle; more tries than this mean that the clocks of store and rule disagree. */
const CYCLE_TRIES_MAX = 5;
const RETRY_FIRST_MS = 20;
const RETRY_LAST_MS = 500;
const LOSS_FIRST_MS = 100;
const LOSS_LAST_MS = 2_000;
/** Lanes in doubt are set aside and new ones taken, up to here. */
const LANES_MAX = 16;

const NONE: Op = { kind: 'none' };

export class OrgLanes {
  private readonly waiting = new OrgQueue();
  private readonly free: Lane[] = [];
  private lanes = 0;
  private inFlight = 0;
  private scheduled = false;
  private closed = false;
  private epoch = '';
  private ruleVersion = 0;
  private cycles: readonly Bounds[] = [];
  private readonly retries = new Map<() => void, NodeJS.Timeout>();
  /** Calls that were sent and are not over. */
  private readonly live = new Map<Batch, Lane>();
  private loss: Loss | undefined;
  /** Losses that ended since the last answer. */
  private losses = 0;
  /** Calls that met the loss: they go on where the data is found. */
  private readonly parked: Sent[] = [];
  private book = 0;
  private readonly alarms: OrgAlarms;

  constructor(
    private readonly org: string,
    private readonly options: OrgLanesOptions,
    private readonly shared: Shared,
  ) {
    this.alarms = new OrgAlarms(org, options);
  }

  get idle(): boolean {
    return this.waiting.length === 0 && this.lanes === this.free.length && this.loss === undefined;
  }

  /** The ledger has had a book of it. */
  get isKnown(): boolean {
    return this.epoch !== '';
  }

  get isLost(): boolean {
    return this.loss !== undefined;
  }

  get state(): LanesState {
    const { inFlight, waiting } = this;
    return { inFlight, inDoubt: this.lanes - this.free.length - inFlight, waiting: waiting.length };
  }

  add(pending: Pending): void {
    if (this.loss !== undefined && !pending.owed) {
      pending.over = true;
      pending.reject(this.lostError());
      return;
    }
    this.waiting.add(pending);
    this.schedule();
  }

  close(): void {
    this.closed = true;
    this.loss?.close();
    for (const timer of this.retries.values()) clearTimeout(timer);
  }

  /** Calls are not over, those of an earlier process left aside. */
  get unanswered(): boolean {
    for (const { done } of this.live.keys()) if (done === undefined) return true;
    return false;
  }

  /** What is left after `close`; calls of an earlier process are kept by who resumed them. */
  undelivered(): UndeliveredCall[] {
    const { org, epoch, live } = this;
    const calls: UndeliveredCall[] = [];
    for (const [batch, lane] of live) {
      const call = batch.done === undefined ? callOf({ org, epoch }, { lane, batch }) : undefined;
      if (call !== undefined) calls.push(call);
    }
    return [...calls, ...callsOf({ org, epoch }, this.waiting.unsent)];
  }

  /** Sends what an earlier process could not deliver; resolves when it is over. */
  resume(call: UndeliveredCall, isForgotten: boolean): Promise<void> {
    if (this.epoch === '') this.epoch = call.epoch;
    // A book that began anew has nothing to give back for what the one before it admitted.
    const foreign = call.epoch !== '' && call.epoch !== this.epoch;
    const ops = foreign ? call.ops.filter(({ op }) => op.kind === 'charge') : call.ops;
    const known = { ...call, ops, inDoubt: (call.inDoubt || isForgotten) && !foreign };
    // It may have been idle for long: that the store has forgotten it is no news.
    const idle = { id: call.lane, seq: call.seq - 1, usedAt: Number.NEGATIVE_INFINITY };
    const lane = foreign ? newLane(this.shared.clock.now()) : idle;
    this.lanes += 1;
    return new Promise((resolve) => {
      const batch = batchOf(known, this.book, resolve);
      if (isForgotten && !foreign) this.changeLane(batch);
      else void this.send(lane, batch);
    });
  }

  /** All that this turn of the event loop reads from its sockets goes in one call. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.pump);
  }

  private readonly pump = (): void => {
    this.scheduled = false;
    // Decisions wait within their deadline; what nobody waits for any more is not sent.
    if (this.loss !== undefined || this.closed || this.options.ledger.reconnecting) return;
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

  /** Lanes that were idle for long may be forgotten by the store, and are forgotten here first. */
  private takeLane(): Lane | undefined {
    for (let free = this.free.pop(); free !== undefined; free = this.free.pop()) {
      if (isFresh(free)) return free;
      this.lanes -= 1;
    }
    if (this.lanes >= LANES_MAX) return undefined;
    this.lanes += 1;
    return newLane(this.shared.clock.now());
  }

  private takeBatch(): Batch {
    const state = { retries: 0, cycleTries: 0, inDoubt: false, outstanding: false, counted: true };
    return { pendings: this.waiting.take(), ...state, book: this.book };
  }

  private async send(lane: Lane, batch: Batch): Promise<void> {
    this.live.set(batch, lane);
    if (this.closed) return;
    if (this.loss !== undefined) {
      this.park(lane, batch);
      return;
    }
    const call: Call = {
      org: this.org,
      epoch: this.epoch,
      lane: lane.id,
      seq: lane.seq + 1,
      ruleVersion: this.ruleVersion,
      cycles: this.cyclesFor(batch),
      unknownUsers: this.shared.unknownUsers,
      expireMost: EXPIRE_MOST,
      // A decision that nobody waits for any more must not happen; if it has, the first answer says so.
      ops: batch.pendings.map(({ op, over }) => (over ? NONE : op)),
    };
    const { ledger, watch } = this.options;
    const sentAt = watch === undefined ? 0 : performance.now();
    batch.outstanding = true;
    await ledger.apply(call).then(
      (reply) => {
        batch.outstanding = false;
        watch?.answered(call.ops.length, reply, performance.now() - sentAt);
        this.answered(lane, batch, reply);
      },
      (error: unknown) => {
        batch.outstanding = false;
        watch?.silent();
        this.silent(lane, batch, error);
      },
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
        lane.usedAt = performance.now();
        this.losses = 0;
        this.learn(reply);
        this.waiting.noteLines(batch.pendings, reply.lines);
        this.distribute(lane, batch, reply);
        this.release(lane, batch);
        return;
      case 'cycle':
        if (this.enterCycle(batch, reply)) this.send(lane, batch);
        else this.silent(lane, batch, new StoreError('The cycle is unknown', false));
        return;
      case 'no-org':
        this.fail(lane, batch, new ProblemError('unknown-org', `There is no organization ${this.org}`));
        return;
      case 'lost':
        this.lose(lane, batch);
        return;
      case 'clock':
        this.silent(lane, batch, CLOCK_JUMPED);
        return;
      case 'lane-behind':
        if (batch.book === this.book) this.alarms.rolledBack(lane);
        // The book is at an earlier number, so this call has not run in it.
        batch.inDoubt = false;
        this.changeLane(batch);
        return;
      case 'lane-lost':
        // The next lane is made by this.
        this.shared.clock.saw(reply.clock);
        // A loss that an operator accepted is no news.
        if (lane.seq > 0 && isFresh(lane) && batch.book === this.book) this.alarms.rolledBack(lane);
        this.changeLane(batch);
        return;
      case 'stale':
        this.changeLane(batch);
    }
  }

  private learn(reply: Reply): void {
    this.epoch = reply.epoch;
    if (!reply.replayed) this.shared.clock.saw(reply.clock);
    this.alarms.noteAnswer(reply);
    if (reply.cycle.start !== this.cycles[0]?.start) this.cycles = withPrevious([reply.cycle], reply);
  }

  /** False where this process cannot follow the book's rule: what is owed waits until it can. */
  private enterCycle(batch: Batch, reply: Reply): boolean {
    this.epoch = reply.epoch;
    batch.cycleTries += 1;
    try {
      if (batch.cycleTries > CYCLE_TRIES_MAX) throw new Error('The bounds could not be agreed on');
      this.cycles = cyclesNow(reply);
      this.ruleVersion = reply.ruleVersion;
      return true;
    } catch (err) {
      batch.cycleTries = 0;
      this.alarms.cycleUnknown(reply.rule, err);
      return false;
    }
  }

  private distribute(lane: Lane, batch: Batch, reply: Reply): void {
    const call = `${lane.id}.${lane.seq}`;
    for (const [index, pending] of batch.pendings.entries()) {
      const result = reply.results[index];
      if (result === undefined) continue;
      if (pending.over) this.giveBack(pending, result, reply, call);
      else {
        pending.over = true;
        this.alarms.noteResult(pending.op, result);
        pending.resolve({ result, now: reply.now, cycle: reply.cycle, call, index });
      }
    }
  }

  /** It was admitted after its caller had been told that the store did not answer: nothing was served for it. */
  private giveBack(pending: Pending, result: Result, reply: Reply, call: string): void {
    const { op } = pending;
    if (op.kind !== 'reserve' || result.status !== 'admitted') return;
    const { charges, hold } = op;
    const user = result.user ?? op.user;
    const cycle = reply.cycle.start;
    const back: Op =
      hold === ''
        ? { kind: 'refund', user, groups: result.groups, charges, cycle, at: reply.now, call }
        : { kind: 'release', hold, keep: false };
    this.shared.owe(this.org, back, cycle).catch(() => undefined);
  }

  private release(lane: Lane, batch: Batch): void {
    this.finish(lane, batch);
    this.uncount(batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private finish(lane: Lane, batch: Batch): void {
    this.live.delete(batch);
    this.free.push(lane);
    batch.done?.();
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
   * No answer. The decisions of the batch are over, unless the store is back within their deadline; what is owed is sent again under the same number, so that it happens
   * once however often it arrives, and the answer tells which decisions had run after all.
   */
  private silent(lane: Lane, batch: Batch, error: unknown): void {
    const mayHaveRun = !(error instanceof StoreError) || error.ran !== false;
    batch.inDoubt ||= mayHaveRun;
    batch.book = this.book;
    // A connection that was idle may be closed as the call is written: the same call is sent over the next one.
    const isSentAgain = error instanceof StoreError && !error.answered && this.options.ledger.reconnecting;
    for (const pending of batch.pendings) {
      if (pending.over || pending.owed || isSentAgain) continue;
      pending.over = true;
      pending.reject(noAnswer(error));
    }
    this.uncount(batch);
    const owes = batch.pendings.some((pending) => !pending.over);
    if (!batch.inDoubt && !owes) this.finish(lane, batch);
    else this.retry(lane, batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private retry(lane: Lane, batch: Batch): void {
    batch.retries += 1;
    const delayMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(batch.retries, 10));
    const again = (): void => {
      clearTimeout(timer);
      this.retries.delete(again);
      this.shared.retries.enter(async () => (this.closed ? undefined : this.send(lane, batch)));
    };
    const timer = setTimeout(again, jittered(delayMs));
    this.retries.set(again, timer);
  }

  /** The store is connected again: nothing waits longer than that. */
  wake(): void {
    for (const again of [...this.retries.keys()]) again();
    if (this.waiting.length > 0) this.schedule();
  }

  /**
   * The book does not have the lane any more: refunds and charges that may have happened are left, for a request is never charged
   * twice, and nothing is given back twice. A book that began anew since then knows of none.
   */
  private changeLane(batch: Batch): void {
    const lane = newLane(this.shared.clock.now());
    this.live.delete(batch);
    if (!batch.inDoubt || batch.book !== this.book) {
      this.send(lane, { ...batch, inDoubt: false });
      return;
    }
    const kept: Pending[] = [];
    for (const pending of batch.pendings) {
      const { kind } = pending.op;
      if (pending.over) continue;
      if (kind !== 'refund' && kind !== 'charge') kept.push(pending);
      else {
        pending.over = true;
        this.options.onTrouble?.(`${kind}-in-doubt`, { org: this.org, op: pending.op });
        pending.reject(unavailable(`It cannot be told whether the ${kind} happened`));
      }
    }
    this.send(lane, { ...batch, pendings: kept });
  }

  /** The data is missing. Decisions end here; what is owed waits for what becomes of the data. */
  private lose(lane: Lane, batch: Batch): void {
    this.park(lane, batch);
    this.loss ??= new Loss({
      org: this.org,
      epoch: this.epoch,
      ledger: this.options.ledger,
      looks: this.shared.looks,
      firstLookMs: this.losses === 0 ? 0 : Math.min(LOSS_LAST_MS, LOSS_FIRST_MS * 2 ** this.losses),
      alarm: () => this.options.onTrouble?.('store-lost', { org: this.org, epoch: this.epoch }),
      over: (how) => this.endLoss(how),
    });
    for (const pending of this.waiting.takeDecisions()) this.refuse(pending);
  }

  private park(lane: Lane, batch: Batch): void {
    for (const pending of batch.pendings) if (!pending.owed) this.refuse(pending);
    this.uncount(batch);
    const owes = batch.pendings.some((pending) => !pending.over);
    if (batch.inDoubt || owes) this.parked.push({ lane, batch });
    else this.finish(lane, batch);
  }

  private refuse(pending: Pending): void {
    if (pending.over) return;
    pending.over = true;
    pending.reject(this.lostError());
  }

  private lostError(): ProblemError {
    return new ProblemError('store-lost', `The budget data of ${this.org} is missing`);
  }

  private endLoss(how: 'found' | 'accepted'): void {
    this.loss = undefined;
    this.losses = Math.min(this.losses + 1, 10);
    this.options.onTrouble?.(`store-loss-${how}`, { org: this.org, owed: this.parked.length });
    if (how === 'accepted') this.beginBook();
    for (const { lane, batch } of this.parked.splice(0))
      this.shared.retries.enter(() => this.send(lane, batch));
    this.schedule();
  }

  /** What was known of the book that is lost says nothing about the new one; its lanes are not known there. */
  private beginBook(): void {
    this.book += 1;
    this.lanes -= this.free.splice(0).length;
    this.epoch = '';
    this.ruleVersion = 0;
    this.cycles = [];
  }
}
