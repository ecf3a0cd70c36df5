/**
 * Lanes: from single operations to repeatable calls. Operations that are at hand in one turn of the event loop go in one
 * call; those that come while all lanes of their org are busy wait for the next one. A decision has a deadline; what got
 * no answer in time is found out later and given back. What is owed (settlements, refunds) is sent until it is done.
 *
 * Owns: batching, deadlines, lanes in doubt, the bounds of each org's cycle. Does not own: any rule of a budget.
 */
import { ProblemError } from '../../errors/catalogue.js';
import type { Bounds, Ledger, Op, ReserveOp, Result, UnknownUsers } from '../port.js';
import { Deadlines } from './deadlines.js';
import { OrgLanes } from './org-lanes.js';

export interface LanesOptions {
  readonly ledger: Ledger;
  /** A decision is answered within this time, waiting included. */
  readonly deadlineMs: number;
  readonly unknownUsers: UnknownUsers;
  /** Calls of one org that may be in flight at once: two keep the wait for the next call below half a round trip. */
  readonly callsInFlight?: number;
  /** Operations owed to the store beyond which no new request is admitted. */
  readonly backlogMax?: number;
  /** Told of what cannot be made good, and of an org whose data is missing. */
  readonly onTrouble?: (what: string, details: Readonly<Record<string, unknown>>) => void;
}

/** What came of one operation; `now` and `cycle` are the book's. */
export interface Answer {
  readonly result: Result;
  readonly now: number;
  readonly cycle: Bounds;
}

/** An operation on its way. */
export interface Pending {
  readonly op: Op;
  /** Start of the closed cycle that the operation may touch, 0 for none. */
  readonly cycle: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly owed: boolean;
  /** Answered, or given up: whatever still comes of it has no reader. */
  over: boolean;
}

const CALLS_IN_FLIGHT = 2;
const BACKLOG_MAX = 10_000;
const ORGS_MAX = 10_000;

export class Lanes {
  private readonly orgs = new Map<string, OrgLanes>();
  private readonly deadlines: Deadlines;
  private readonly backlogMax: number;
  private owed = 0;
  private drained: (() => void) | undefined;

  constructor(private readonly options: LanesOptions) {
    this.deadlines = new Deadlines(options.deadlineMs);
    this.backlogMax = options.backlogMax ?? BACKLOG_MAX;
  }

  /** Settlements and refunds that the store has not confirmed yet. */
  get backlog(): number {
    return this.owed;
  }

  /**
   * The decision on a reservation, within the deadline. Rejects with a ProblemError: `store-unavailable`, `store-lost`,
   * `unknown-org`, `backlog-full`.
   */
  decide(org: string, op: ReserveOp): Promise<Answer> {
    if (!this.options.ledger.ready) return Promise.reject(unavailable('The store cannot be reached'));
    if (this.owed >= this.backlogMax)
      return Promise.reject(new ProblemError('backlog-full', `${this.owed} settlements wait for the store`));
    return new Promise((resolve, reject) => {
      const pending: Pending = { op, cycle: 0, resolve, reject, owed: false, over: false };
      this.deadlines.add(pending);
      this.lanesOf(org).add(pending);
    });
  }

  /** Sends an operation until it is done. `cycle`: start of the cycle in which its admission happened. */
  owe(org: string, op: Op, cycle: number): Promise<Answer> {
    this.owed += 1;
    const done = new Promise<Answer>((resolve, reject) => {
      this.lanesOf(org).add({ op, cycle, resolve, reject, owed: true, over: false });
    });
    const count = (): void => {
      this.owed -= 1;
      if (this.owed === 0) this.drained?.();
    };
    done.then(count, count);
    return done;
  }

  /** Waits until nothing is owed, `graceMs` at most. True where all was delivered. */
  async drain(graceMs: number): Promise<boolean> {
    if (this.owed > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.drained = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    const all = this.owed === 0;
    this.deadlines.close();
    for (const org of this.orgs.values()) org.close();
    return all;
  }

  private lanesOf(org: string): OrgLanes {
    const known = this.orgs.get(org);
    if (known !== undefined) return known;
    if (this.orgs.size >= ORGS_MAX) this.forgetIdle();
    const made = new OrgLanes(
      org,
      { ...this.options, callsInFlight: this.options.callsInFlight ?? CALLS_IN_FLIGHT },
      this,
    );
    this.orgs.set(org, made);
    return made;
  }

  /** An org that no request names any more, or that does not exist, keeps no lanes here. */
  private forgetIdle(): void {
    for (const [id, org] of this.orgs) if (org.idle) this.orgs.delete(id);
  }
}

export function unavailable(detail: string): ProblemError {
  return new ProblemError('store-unavailable', detail);
}
