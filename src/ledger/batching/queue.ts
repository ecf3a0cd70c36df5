/**
 * Operations that wait for the next call of an org. Renewals come last: none of them is urgent, and many are due at
 * once.
 */
import type { Bounds, Op } from '../port.js';
import type { PendingOperation } from './pending-operation.js';

/** With this many counter lines, a script call occupies Redis for about 2 ms. */
const LINES_MAX = 100;
const OPS_MAX = 256;
/** The cost of a renewal, in lines. */
const RENEWAL_LINES = 2;
/** At least this many renewals go with every call, so that load never lets the holds of open requests expire. */
const RENEWALS_LEAST = 10;

const NO_CYCLE: Bounds = { start: 0, end: 0 };

export class OrgQueue {
  private urgent: PendingOperation[] = [];
  /** By hold: only the latest renewal of each counts. */
  private readonly renewals = new Map<string, PendingOperation>();
  private linesPerOp = 4;

  get length(): number {
    return this.urgent.length + this.renewals.size;
  }

  add(pending: PendingOperation): void {
    const hold = holdOf(pending.op);
    if (hold !== '') this.supersede(hold);
    if (isRenewal(pending.op)) this.renewals.set(hold, pending);
    else this.urgent.push(pending);
  }

  /** Takes operations in order, as many as fit the lines of a call; abandoned ones are dropped. */
  take(): PendingOperation[] {
    const most = Math.max(1, Math.min(OPS_MAX, Math.floor(LINES_MAX / this.linesPerOp)));
    const taken: PendingOperation[] = [];
    let from = 0;
    for (const pending of this.urgent) {
      if (taken.length === most) break;
      from += 1;
      if (!pending.over) taken.push(pending);
    }
    this.urgent.splice(0, from);
    this.takeRenewals(taken);
    return taken;
  }

  private takeRenewals(taken: PendingOperation[]): void {
    if (this.renewals.size === 0) return;
    const left = LINES_MAX - taken.length * this.linesPerOp;
    let most = Math.max(RENEWALS_LEAST, Math.floor(left / RENEWAL_LINES));
    for (const [hold, pending] of this.renewals) {
      if (most === 0) break;
      most -= 1;
      this.renewals.delete(hold);
      taken.push(pending);
    }
  }

  /** Takes operations that are not settlements. */
  takeDecisions(): PendingOperation[] {
    const decisions = this.urgent.filter(({ owed }) => !owed);
    this.urgent = this.urgent.filter(({ owed }) => owed);
    return decisions;
  }

  /** Operations that are urgent and not answered. */
  get unsent(): readonly PendingOperation[] {
    return this.urgent;
  }

  /** The size of calls is based on the lines that earlier calls used. */
  noteLines(operations: readonly PendingOperation[], lines: number): void {
    const count = operations.reduce((sum, { op }) => sum + (isRenewal(op) ? 0 : 1), 0);
    if (count > 0) this.linesPerOp = Math.max(1, (this.linesPerOp * 7 + lines / count) / 8);
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

function holdOf(op: Op): string {
  return op.kind === 'renew' || op.kind === 'settle' || op.kind === 'release' ? op.hold : '';
}

/** A renewal that asks for no additional units. */
function isRenewal(op: Op): boolean {
  return op.kind === 'renew' && op.more.every((units) => units === 0);
}
