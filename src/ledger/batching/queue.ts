/** What waits for the next call of an org. Renewals go behind everything else: none of them is urgent, and many are due at once. */
import type { Bounds, Op } from '../port.js';
import type { PendingOperation } from './pending-operation.js';

/** A script call holds Redis for about 2 ms at this many counter lines. */
const LINES_MAX = 100;
const OPS_MAX = 256;
/** What a renewal costs, in lines. */
const RENEWAL_LINES = 2;
/** So many go with every call, so that no load lets holds expire whose requests are under way. */
const RENEWALS_LEAST = 10;

const NO_CYCLE: Bounds = { start: 0, end: 0 };

export class OrgQueue {
  private urgent: PendingOperation[] = [];
  /** By hold: only the latest of each counts. */
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

  /** Takes operations in their order, as many as a call may have lines; those given up meanwhile fall out. */
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

  /** Takes what is not owed. */
  takeDecisions(): PendingOperation[] {
    const decisions = this.urgent.filter(({ owed }) => !owed);
    this.urgent = this.urgent.filter(({ owed }) => owed);
    return decisions;
  }

  /** What is urgent and not answered. */
  get unsent(): readonly PendingOperation[] {
    return this.urgent;
  }

  /** Calls are cut by what earlier ones took. */
  noteLines(operations: readonly PendingOperation[], lines: number): void {
    const count = operations.reduce((sum, { op }) => sum + (isRenewal(op) ? 0 : 1), 0);
    if (count > 0) this.linesPerOp = Math.max(1, (this.linesPerOp * 7 + lines / count) / 8);
  }

  /** A renewal says less than what comes after it for the same hold: sent later, it would take that back. */
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

/** One that asks for nothing on top. */
function isRenewal(op: Op): boolean {
  return op.kind === 'renew' && op.more.every((units) => units === 0);
}
