/**
 * Operations that wait for the next call of an org. Plain reservations have calls of their own, because the store decides those on a
 * shorter path. Renewals come last: none of them is urgent, and many are due at once.
 */
import type { Bounds, Op } from '../port.js';
import { CallSize, LINES_MAX } from './call-size.js';
import { CALLS_NEAR } from './distance.js';
import type { PendingOperation } from './pending-operation.js';

/** The cost of a renewal, in lines. */
const RENEWAL_LINES = 2;
/** At least this many renewals go with every call that is not plain, so that load never lets the holds of open requests expire. */
const RENEWALS_LEAST = 10;

const NO_CYCLE: Bounds = { start: 0, end: 0 };

export class OrgQueue {
  private plain: PendingOperation[] = [];
  private other: PendingOperation[] = [];
  /** By hold: only the latest renewal of each counts. */
  private readonly renewals = new Map<string, PendingOperation>();
  private readonly plainSize = new CallSize();
  private readonly otherSize = new CallSize();
  private tookPlain = false;

  get length(): number {
    return this.plain.length + this.other.length + this.renewals.size;
  }

  /** Whether something may go while so many calls are in flight. Renewals alone never take more calls than a nearby store gets. */
  isReady(callsInFlight: number): boolean {
    if (this.plain.length > 0 || this.other.length > 0) return true;
    return this.renewals.size > 0 && callsInFlight < CALLS_NEAR;
  }

  add(pending: PendingOperation): void {
    const hold = holdOf(pending.op);
    if (hold !== '') this.supersede(hold);
    if (isRenewal(pending.op)) this.renewals.set(hold, pending);
    else if (isPlain(pending.op)) this.plain.push(pending);
    else this.other.push(pending);
  }

  /** Takes operations in order, as many as fit a call, of both kinds in turn; abandoned ones are dropped. */
  take(): PendingOperation[] {
    const isOtherWaiting = this.other.length > 0 || this.renewals.size > 0;
    this.tookPlain = this.plain.length > 0 && !(isOtherWaiting && this.tookPlain);
    if (this.tookPlain) return takeFrom(this.plain, this.plainSize.operations);
    const taken = takeFrom(this.other, this.otherSize.operations);
    this.takeRenewals(taken);
    return taken;
  }

  private takeRenewals(taken: PendingOperation[]): void {
    if (this.renewals.size === 0) return;
    // A reservation that waits behind this call is more urgent.
    const isFree = this.plain.length === 0 && this.other.length === 0 && taken.length === 0;
    let most = isFree ? LINES_MAX / RENEWAL_LINES : RENEWALS_LEAST;
    for (const [hold, pending] of this.renewals) {
      if (most === 0) break;
      most -= 1;
      this.renewals.delete(hold);
      taken.push(pending);
    }
  }

  /** Takes operations that are not settlements. */
  takeDecisions(): PendingOperation[] {
    const decisions = [...this.plain, ...this.other].filter(({ owed }) => !owed);
    this.plain = this.plain.filter(({ owed }) => owed);
    this.other = this.other.filter(({ owed }) => owed);
    return decisions;
  }

  /** Operations that are urgent and not answered. */
  get unsent(): readonly PendingOperation[] {
    return [...this.plain, ...this.other];
  }

  /** The size of calls is based on the lines that earlier calls used. */
  noteLines(operations: readonly PendingOperation[], lines: number): void {
    const [first] = operations;
    const size = first !== undefined && isPlain(first.op) ? this.plainSize : this.otherSize;
    const count = operations.reduce((sum, { op }) => sum + (isRenewal(op) ? 0 : 1), 0);
    if (count > 0) size.learn(count, lines);
  }

  /**
   * A renewal has older progress than the operation that follows it for the same hold; sent later, it would undo that.
   */
  private supersede(hold: string): void {
    const renewal = this.renewals.get(hold);
    if (renewal === undefined) return;
    this.renewals.delete(hold);
    renewal.over = true;
    renewal.resolve({ result: { status: 'none' }, now: 0, cycle: NO_CYCLE });
  }
}

function takeFrom(list: PendingOperation[], most: number): PendingOperation[] {
  const taken: PendingOperation[] = [];
  let from = 0;
  for (const pending of list) {
    if (taken.length === most) break;
    from += 1;
    if (!pending.over) taken.push(pending);
  }
  list.splice(0, from);
  return taken;
}

function holdOf(op: Op): string {
  return op.kind === 'renew' || op.kind === 'settle' || op.kind === 'release' ? op.hold : '';
}

/** A renewal that asks for no additional units. */
function isRenewal(op: Op): boolean {
  return op.kind === 'renew' && op.more.every((units) => units === 0);
}

/** A reservation without a hold: of fixed costs, gates, or nothing. */
function isPlain(op: Op): boolean {
  return op.kind === 'reserve' && op.hold === '';
}
