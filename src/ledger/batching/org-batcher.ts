/** The producers of one org: decides which call is sent when, and handles calls without an answer. */
import { ProblemError } from '../../errors/catalogue.js';
import { type Call, type Op, type Reply, StoreError } from '../port.js';
import { OrgAlarms } from './alarms.js';
import { type Batch, isFresh, newProducer, type Producer, replacementOf, type Sent } from './batch.js';
import { jittered } from './concurrency-limiter.js';
import { distribute } from './distribute.js';
import { Loss } from './loss.js';
import type { BatcherState } from './observer.js';
import { OrgBounds } from './org-bounds.js';
import { CLOCK_JUMPED, noAnswer, type PendingOperation, unavailable } from './pending-operation.js';
import { Producers } from './producers.js';
import { OrgQueue } from './queue.js';
import type { OrgBatcherOptions, Shared } from './shared.js';
import { callOf, callsOf, sentOf, type UndeliveredCall } from './undelivered.js';

const EXPIRE_MOST = 8;
const RETRY_FIRST_MS = 20;
const RETRY_LAST_MS = 500;
const LOSS_FIRST_MS = 100;
const LOSS_LAST_MS = 2_000;
const NONE: Op = { kind: 'none' };
const DONE = Promise.resolve();

export class OrgBatcher {
  private readonly waiting = new OrgQueue();
  private readonly producers = new Producers();
  private readonly bounds = new OrgBounds();
  private inFlight = 0;
  private scheduled = false;
  private closed = false;
  private readonly retries = new Map<() => void, NodeJS.Timeout>();
  /** Calls that were sent and are not complete. */
  private readonly live = new Map<Batch, Producer>();
  private loss: Loss | undefined;
  private losses = 0; // that ended since the last answer
  /** Calls that found the data missing; they continue if the data is found. */
  private readonly parked: Sent[] = [];
  private generation = 0;
  answeredAt = Number.NEGATIVE_INFINITY;
  private readonly alarms: OrgAlarms;

  constructor(
    private readonly org: string,
    private readonly options: OrgBatcherOptions,
    private readonly shared: Shared,
  ) {
    this.alarms = new OrgAlarms(org, options);
  }

  get idle(): boolean {
    return this.waiting.length === 0 && this.producers.busy === 0 && this.loss === undefined;
  }

  /** The ledger had data of this org. */
  get isKnown(): boolean {
    return this.bounds.epoch !== '';
  }

  get isLost(): boolean {
    return this.loss !== undefined;
  }

  get state(): BatcherState {
    const { inFlight, producers, waiting } = this;
    return { inFlight, inDoubt: producers.busy - inFlight, waiting: waiting.length };
  }

  add(pending: PendingOperation): void {
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

  /** Calls are not complete, not counting those of an earlier process. */
  get unanswered(): boolean {
    for (const { done } of this.live.keys()) if (done === undefined) return true;
    return false;
  }

  /** What is left after `close`. Calls of an earlier process are kept by the spool that resumed them. */
  undelivered(): UndeliveredCall[] {
    const { org, live } = this;
    const { epoch } = this.bounds;
    const calls: UndeliveredCall[] = [];
    for (const [batch, producer] of live) {
      const call = batch.done === undefined ? callOf({ org, epoch }, { producer, batch }) : undefined;
      if (call !== undefined) calls.push(call);
    }
    return [...calls, ...callsOf({ org, epoch }, this.waiting.unsent)];
  }

  /** Sends what an earlier process could not deliver; resolves when done. */
  resume(call: UndeliveredCall, isForgotten: boolean): Promise<void> {
    if (this.bounds.epoch === '') this.bounds.epoch = call.epoch;
    this.producers.add();
    return new Promise((resolve) => {
      const { epoch } = this.bounds;
      const { generation } = this;
      const { producer, batch } = sentOf(call, { epoch, generation, isForgotten, done: resolve });
      if (isForgotten) this.replaceProducer(producer, batch);
      else void this.send(producer, batch);
    });
  }

  /** Everything that this turn of the event loop reads from its sockets goes in one call. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.pump);
  }

  private readonly pump = (): void => {
    this.scheduled = false;
    // Decisions wait within their deadline; expired ones are not sent.
    if (this.loss !== undefined || this.closed || this.options.ledger.reconnecting) return;
    const most = this.options.callsInFlight ?? this.shared.distance.callsInFlight;
    while (this.inFlight < most && this.waiting.isReady(this.inFlight)) {
      const producer = this.producers.take(this.shared.clock.now());
      if (producer === undefined) return;
      const batch = this.takeBatch();
      if (batch.operations.length === 0) {
        this.producers.give(producer);
        return;
      }
      this.inFlight += 1;
      this.send(producer, batch);
    }
  };

  private takeBatch(): Batch {
    const state = { retries: 0, cycleTries: 0, inDoubt: false, outstanding: false, counted: true };
    return { operations: this.waiting.take(), ...state, generation: this.generation };
  }

  private send(producer: Producer, batch: Batch): Promise<void> {
    this.live.set(batch, producer);
    if (this.closed) return DONE;
    if (this.loss !== undefined) {
      this.park(producer, batch);
      return DONE;
    }
    const call: Call = {
      org: this.org,
      epoch: this.bounds.epoch,
      producer: producer.id,
      seq: producer.seq + 1,
      ruleVersion: this.bounds.ruleVersion,
      cycles: this.bounds.cyclesFor(batch),
      unknownUsers: this.shared.unknownUsers,
      expireMost: EXPIRE_MOST,
      // An expired decision must not happen; if it has, the first answer shows it.
      ops: batch.operations.map(({ op, over }) => (over ? NONE : op)),
    };
    const { ledger, observer } = this.options;
    const sentAt = performance.now();
    batch.outstanding = true;
    return ledger.apply(call).then(
      (reply) => {
        batch.outstanding = false;
        this.answeredAt = performance.now();
        const ms = this.answeredAt - sentAt;
        this.shared.distance.noteAnswer(call.ops.length, ms);
        observer?.answered(call.ops.length, reply, ms);
        this.answered(producer, batch, reply);
      },
      (error: unknown) => {
        batch.outstanding = false;
        observer?.silent();
        this.silent(producer, batch, error);
      },
    );
  }

  private answered(producer: Producer, batch: Batch, reply: Reply): void {
    switch (reply.code) {
      case 'ok':
        producer.seq += 1;
        producer.usedAt = performance.now();
        this.losses = 0;
        this.learn(reply);
        this.waiting.noteLines(batch.operations, reply.lines);
        distribute({ producer, batch }, reply, { alarms: this.alarms, giveBack: this.giveBack });
        this.release(producer, batch);
        return;
      case 'cycle':
        if (this.enterCycle(batch, reply)) this.send(producer, batch);
        else this.silent(producer, batch, new StoreError('The cycle is unknown', false));
        return;
      case 'no-org':
        this.fail(producer, batch, new ProblemError('unknown-org', `Organization ${this.org} not found`));
        return;
      case 'lost':
        this.lose(producer, batch);
        return;
      case 'clock':
        this.silent(producer, batch, CLOCK_JUMPED);
        return;
      case 'producer-behind':
        if (batch.generation === this.generation) this.alarms.rolledBack(producer, reply.lastCall ?? 0);
        // The org is at an earlier number, so this call has not run in it.
        batch.inDoubt = false;
        this.replaceProducer(producer, batch);
        return;
      case 'producer-lost':
        // Saves the store's time: the id of the next producer contains it.
        this.shared.clock.saw(reply.clock);
        // A loss that an operator accepted raises no alarm.
        if (producer.seq > 0 && isFresh(producer) && batch.generation === this.generation)
          this.alarms.rolledBack(producer, 0);
        this.replaceProducer(producer, batch);
        return;
      case 'stale':
        batch.inDoubt = true;
        this.replaceProducer(producer, batch);
    }
  }

  private learn(reply: Reply): void {
    this.bounds.learn(reply);
    if (!reply.replayed) this.shared.clock.saw(reply.clock);
    this.alarms.noteAnswer(reply);
  }

  /** Returns false if this process cannot apply the org's rule: settlements wait until it can. */
  private enterCycle(batch: Batch, reply: Reply): boolean {
    try {
      this.bounds.enter(batch, reply);
      return true;
    } catch (err) {
      batch.cycleTries = 0;
      this.alarms.cycleUnknown(reply.rule, err);
      return false;
    }
  }

  private readonly giveBack = (op: Op, cycle: number): void => {
    this.shared.enqueueSettlement(this.org, op, cycle).catch(() => undefined);
  };

  private release(producer: Producer, batch: Batch): void {
    this.finish(producer, batch);
    this.uncount(batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private finish(producer: Producer, batch: Batch): void {
    this.live.delete(batch);
    if (batch.done === undefined) this.producers.give(producer);
    else {
      // Another process may be sending the same call: no request may follow it on this producer.
      this.producers.remove();
      batch.done();
    }
  }

  private uncount(batch: Batch): void {
    if (batch.counted) this.inFlight -= 1;
    batch.counted = false;
  }

  private fail(producer: Producer, batch: Batch, error: ProblemError): void {
    for (const pending of batch.operations) {
      if (pending.over) continue;
      pending.over = true;
      if (pending.owed)
        this.options.onTrouble?.('settlement-undeliverable', { org: this.org, op: pending.op });
      pending.reject(error);
    }
    this.release(producer, batch);
  }

  /**
   * Handles a call without an answer. Its decisions fail, unless the store is back within their deadline. Settlements
   * are sent again under the same number, so they happen once, however often they arrive. The answer shows which
   * decisions had run.
   */
  private silent(producer: Producer, batch: Batch, error: unknown): void {
    const mayHaveRun = !(error instanceof StoreError) || error.ran !== false;
    batch.inDoubt ||= mayHaveRun;
    batch.generation = this.generation;
    // An idle connection may be closed while the call is written; the same call is then sent over the next one.
    const isSentAgain = error instanceof StoreError && !error.answered && this.options.ledger.reconnecting;
    for (const pending of batch.operations) {
      if (pending.over || pending.owed || isSentAgain) continue;
      pending.over = true;
      pending.reject(noAnswer(error));
    }
    this.uncount(batch);
    const owes = batch.operations.some((pending) => !pending.over);
    if (!batch.inDoubt && !owes) this.finish(producer, batch);
    else this.retry(producer, batch);
    if (this.waiting.length > 0) this.schedule();
  }

  private retry(producer: Producer, batch: Batch): void {
    batch.retries += 1;
    const delayMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(batch.retries, 10));
    const again = (): void => {
      clearTimeout(timer);
      this.retries.delete(again);
      this.shared.retries.enter(async () => (this.closed ? undefined : this.send(producer, batch)));
    };
    const timer = setTimeout(again, jittered(delayMs));
    this.retries.set(again, timer);
  }

  /** The store is connected again: retry at once. */
  wake(): void {
    for (const again of [...this.retries.keys()]) again();
    if (this.waiting.length > 0) this.schedule();
  }

  /**
   * The org no longer has the producer, or is past this call. Refunds and charges that may have happened are dropped,
   * because no request is charged twice and nothing is returned twice. An org that was created again since then knows
   * none of them.
   */
  private replaceProducer(before: Producer, batch: Batch): void {
    const producer = batch.done === undefined ? newProducer(this.shared.clock.now()) : replacementOf(before);
    this.live.delete(batch);
    if (!batch.inDoubt || batch.generation !== this.generation) {
      this.send(producer, { ...batch, inDoubt: false });
      return;
    }
    const kept = batch.operations.filter((pending) => !pending.over && !this.dropsInDoubt(pending));
    this.send(producer, { ...batch, operations: kept });
  }

  private dropsInDoubt(pending: PendingOperation): boolean {
    const { kind } = pending.op;
    if (kind !== 'refund' && kind !== 'charge') return false;
    pending.over = true;
    this.options.onTrouble?.(`${kind}-in-doubt`, { org: this.org, op: pending.op });
    pending.reject(unavailable(`It is unknown whether the ${kind} happened`));
    return true;
  }

  /** The data is missing. Decisions fail; settlements wait until the data is found or the loss is accepted. */
  private lose(producer: Producer, batch: Batch): void {
    this.park(producer, batch);
    this.loss ??= new Loss({
      org: this.org,
      epoch: this.bounds.epoch,
      ledger: this.options.ledger,
      looks: this.shared.looks,
      firstLookMs: this.losses === 0 ? 0 : Math.min(LOSS_LAST_MS, LOSS_FIRST_MS * 2 ** this.losses),
      alarm: () => this.options.onTrouble?.('store-lost', { org: this.org, epoch: this.bounds.epoch }),
      over: (how) => this.endLoss(how),
    });
    for (const pending of this.waiting.takeDecisions()) this.refuse(pending);
  }

  private park(producer: Producer, batch: Batch): void {
    for (const pending of batch.operations) if (!pending.owed) this.refuse(pending);
    this.uncount(batch);
    const owes = batch.operations.some((pending) => !pending.over);
    if (batch.inDoubt || owes) this.parked.push({ producer, batch });
    else this.finish(producer, batch);
  }

  private refuse(pending: PendingOperation): void {
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
    if (how === 'accepted') this.beginGeneration();
    for (const { producer, batch } of this.parked.splice(0)) {
      const isMoved = how === 'accepted' && batch.done !== undefined;
      this.shared.retries.enter(() => this.send(isMoved ? replacementOf(producer) : producer, batch));
    }
    this.schedule();
  }

  /** State of the lost org does not apply to the new one, which does not know the old producers. */
  private beginGeneration(): void {
    this.generation += 1;
    this.producers.forgetFree();
    this.bounds.forget();
  }
}
