/**
 * StoreBatcher turns single operations into repeatable calls. Operations that arrive in one turn of the event loop go
 * in one call. Operations that arrive while all producers of their org are busy wait for the next call. A decision has
 * a deadline. A call without an answer in time is reconciled later, and its charges are returned. Settlements and
 * refunds are sent until they are confirmed.
 *
 * Owns: batching, deadlines, unanswered calls, the bounds of each org's cycle, open mode, and the handling of lost
 * data. Does not own: any quota rule.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '../../errors/catalogue.js';
import type { Bounds, ChargeOp, DecisionStore, Op, ReserveOp, UnknownUsers } from '../port.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import { Deadlines } from './deadlines.js';
import { Distance } from './distance.js';
import type { BatcherState, CallObserver } from './observer.js';
import { OpenAccount, type OpenBound, type OpenEvent } from './open-account.js';
import { OrgBatcher } from './org-batcher.js';
import { type Answer, type PendingOperation, unavailable } from './pending-operation.js';
import { RefusalCounts, type RefusedCall } from './refusal-counts.js';
import type { Shared } from './shared.js';
import { StoreClock } from './store-clock.js';
import { callsOf, type UndeliveredCall } from './undelivered.js';

export type { BatcherState, CallObserver } from './observer.js';
export type { OpenBound, OpenEvent } from './open-account.js';
export type { Answer } from './pending-operation.js';
export type { RefusedCall } from './refusal-counts.js';
export type { UndeliveredCall } from './undelivered.js';

export interface StoreBatcherOptions {
  readonly ledger: DecisionStore;
  /** A decision is answered within this time, including any waiting. */
  readonly deadlineMs: number;
  readonly unknownUsers: UnknownUsers;
  /** For benches: maximum calls of one org in flight. Left out: as many as the distance of the store asks for. */
  readonly callsInFlight?: number;
  /** With more undelivered settlements than this, no new request is admitted. */
  readonly backlogMax?: number;
  /** How many orgs are remembered. */
  readonly orgsMax?: number;
  /** Called for problems that cannot be repaired, and for an org whose data is missing. */
  readonly onTrouble?: (what: string, details: Readonly<Record<string, unknown>>) => void;
  /** Called for each event of open mode. */
  readonly onOpen?: (event: OpenEvent) => void;
  readonly observer?: CallObserver;
}

const BACKLOG_MAX = 10_000;
const ORGS_MAX = 10_000;
/** How many unanswered calls are sent again at once, so that a recovering store does not get all of them together. */
const RETRIES_AT_ONCE = 8;
const LOOKS_AT_ONCE = 4;
const DRAIN_LOOK_MS = 5;
const NO_CYCLE: Bounds = { start: 0, end: 0 };

export class StoreBatcher {
  private readonly orgs = new Map<string, OrgBatcher>();
  private readonly deadlines: Deadlines;
  private readonly refusals = new RefusalCounts((org, op) => this.enqueueSettlement(org, op, 0));
  private readonly backlogMax: number;
  private readonly orgsMax: number;
  private readonly clock = new StoreClock();
  private readonly account: OpenAccount;
  private readonly shared: Shared;
  /** May change at any time; later calls use the new value. */
  unknownUsers: UnknownUsers;
  private owed = 0;
  private charging = 0;

  constructor(private readonly options: StoreBatcherOptions) {
    this.deadlines = new Deadlines(options.deadlineMs);
    this.backlogMax = options.backlogMax ?? BACKLOG_MAX;
    this.orgsMax = options.orgsMax ?? ORGS_MAX;
    this.unknownUsers = options.unknownUsers;
    this.account = new OpenAccount({
      enqueueSettlement: (org, op) => this.charge(org, op),
      now: () => this.clock.now(),
      onOpen: options.onOpen,
    });
    options.ledger.onReady(() => {
      for (const org of this.orgs.values()) org.wake();
    });
    const batcher = this;
    this.shared = {
      get unknownUsers() {
        return batcher.unknownUsers;
      },
      enqueueSettlement: (org: string, op: Op, cycle: number) => this.enqueueSettlement(org, op, cycle),
      clock: this.clock,
      distance: new Distance(),
      retries: new ConcurrencyLimiter(RETRIES_AT_ONCE),
      looks: new ConcurrencyLimiter(LOOKS_AT_ONCE),
    };
  }

  /** Settlements and refunds that the store has not confirmed yet. */
  get backlog(): number {
    return this.owed - this.charging;
  }

  /** What open mode has admitted and the store does not know yet. */
  get open(): Pick<OpenAccount, 'active' | 'undelivered' | 'outstanding'> {
    return this.account;
  }

  get state(): BatcherState {
    const sum = { inFlight: 0, inDoubt: 0, waiting: 0 };
    for (const { state } of this.orgs.values()) {
      sum.inFlight += state.inFlight;
      sum.inDoubt += state.inDoubt;
      sum.waiting += state.waiting;
    }
    return sum;
  }

  /** Orgs whose data is missing. */
  get lost(): readonly string[] {
    return [...this.orgs].filter(([, org]) => org.isLost).map(([id]) => id);
  }

  /**
   * Decides a reservation within the deadline. Rejects with a ProblemError: `store-unavailable`, `store-lost`,
   * `unknown-org`, `backlog-full`. With `open`, a request without a decision is admitted within that bound.
   */
  decide(org: string, op: ReserveOp, open?: OpenBound): Promise<Answer> {
    const decision = this.ask(org, op);
    if (open === undefined)
      // An answer for a route without open mode also shows that the store is available.
      return this.account.active ? decision.then((answer) => this.noteAnswer(org, op, answer)) : decision;
    return decision.then(
      (answer) => this.noteAnswer(org, op, answer),
      (error: unknown) => this.decideAlone(org, op, open, error),
    );
  }

  private ask(org: string, op: ReserveOp): Promise<Answer> {
    const { ready, reconnecting } = this.options.ledger;
    if (!ready && !reconnecting) return Promise.reject(unavailable('The store cannot be reached'));
    if (this.backlog >= this.backlogMax)
      return Promise.reject(
        new ProblemError('backlog-full', `${this.backlog} settlements wait for the store`),
      );
    return new Promise((resolve, reject) => {
      const pending: PendingOperation = { op, cycle: 0, resolve, reject, owed: false, over: false };
      const batcher = this.batcherOf(org);
      this.deadlines.add(pending, batcher);
      batcher.add(pending);
    });
  }

  private noteAnswer(org: string, op: ReserveOp, answer: Answer): Answer {
    this.account.answered();
    const { result } = answer;
    if (op.key === undefined) return answer;
    if ('user' in result) this.account.sawKey(org, op.key, result.user);
    else if (result.status === 'denied') this.account.sawKey(org, op.key, undefined);
    return answer;
  }

  /** Lost data and a full backlog do not start open mode. */
  private decideAlone(org: string, op: ReserveOp, open: OpenBound, error: unknown): Answer {
    if (!(error instanceof ProblemError) || error.code !== 'store-unavailable') throw error;
    const user = op.key === undefined ? op.user : this.account.holderOf(org, op.key);
    if (user === undefined) throw error;
    const chargeLater = this.account.admit(org, { ...op, user }, open);
    if (chargeLater === undefined) throw unavailable(`${error.message}; the limit of open mode is used up`);
    const nothing = { groups: '', duplicate: false, violated: [], bindingLimits: [] };
    const result = { status: 'admitted', user, ...nothing } as const;
    return { result, now: this.clock.now(), cycle: NO_CYCLE, chargeLater };
  }

  /** Sends an operation until it is confirmed. `cycle`: start of the cycle of its admission. */
  enqueueSettlement(org: string, op: Op, cycle: number): Promise<Answer> {
    const done = new Promise<Answer>((resolve, reject) => {
      this.batcherOf(org).add({ op, cycle, resolve, reject, owed: true, over: false });
    });
    // Renewals do not count as backlog: the number of open requests limits them.
    if (op.kind === 'renew') return done;
    this.owed += 1;
    const count = (): void => {
      this.owed -= 1;
    };
    done.then(count, count);
    return done;
  }

  /** Counts a refused request: the journal has it within two seconds. */
  countRefusal(refused: RefusedCall): void {
    this.refusals.note(refused);
  }

  /** Charges of open mode have their own limit and do not block new requests. */
  private charge(org: string, op: ChargeOp): Promise<Answer> {
    this.charging += 1;
    const done = this.enqueueSettlement(org, op, 0);
    const count = (): void => {
      this.charging -= 1;
    };
    done.then(count, count);
    return done;
  }

  private get delivered(): boolean {
    if (this.owed > 0 || this.account.undelivered > 0) return false;
    for (const org of this.orgs.values()) if (org.unanswered) return false;
    return true;
  }

  /**
   * Waits until everything is delivered and reconciled, at most `graceMs`, and then sends nothing more. Returns true if
   * all was delivered.
   */
  async drain(graceMs: number): Promise<boolean> {
    this.refusals.flush();
    const until = performance.now() + graceMs;
    while (!this.delivered && performance.now() < until) await delay(DRAIN_LOOK_MS);
    const all = this.delivered;
    this.deadlines.close();
    this.account.close();
    for (const org of this.orgs.values()) org.close();
    return all;
  }

  /** After `drain`: what was not delivered. */
  undelivered(): UndeliveredCall[] {
    const calls = [...this.orgs.values()].flatMap((org) => org.undelivered());
    for (const [org, ops] of this.account.unsent()) {
      const operations = ops.map((op) => ({ op, cycle: 0 }));
      calls.push(...callsOf({ org, epoch: '' }, operations));
    }
    return calls;
  }

  /**
   * Delivers what an earlier process could not; resolves when done. `isForgotten`: the call may be so old that the
   * store no longer knows it, so anything that could run twice is not sent.
   */
  resume(call: UndeliveredCall, isForgotten = false): Promise<void> {
    return this.batcherOf(call.org).resume(call, isForgotten);
  }

  private batcherOf(org: string): OrgBatcher {
    const known = this.orgs.get(org);
    if (known !== undefined) return known;
    if (this.orgs.size >= this.orgsMax) this.forgetIdle();
    const made = new OrgBatcher(org, this.options, this.shared);
    this.orgs.set(org, made);
    return made;
  }

  /**
   * Orgs that do not exist have no batcher. Known orgs are remembered longer, because only a process that knows an org
   * notices its missing data, and invented names must not displace it.
   */
  private forgetIdle(): void {
    this.forget((org) => org.idle && !org.isKnown);
    if (this.orgs.size >= this.orgsMax) this.forget((org) => org.idle);
  }

  private forget(isOver: (org: OrgBatcher) => boolean): void {
    for (const [id, org] of this.orgs) if (isOver(org)) this.orgs.delete(id);
  }
}
