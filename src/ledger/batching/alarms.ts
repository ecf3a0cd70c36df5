/** Alarms of one org, limited in rate, so that many calls with the same fault do not fill the log. */
import { ORG_AHEAD_MS } from '../clock-guard.js';
import type { Op, Reply, Result } from '../port.js';
import type { Producer } from './batch.js';
import type { OrgBatcherOptions } from './shared.js';

const EVERY_MS = 60_000;

/** Alarms by the result of an operation: the store lacks the data for it, and no caller learns that from an answer. */
const UNDONE: Readonly<Partial<Record<Result['status'], string>>> = {
  unproven: 'refund-unproven',
  'unknown-hold': 'settlement-unknown-hold',
  'other-cycle': 'settlement-other-cycle',
};

export class OrgAlarms {
  private readonly quietUntil = new Map<string, number>();

  constructor(
    private readonly org: string,
    private readonly options: OrgBatcherOptions,
  ) {}

  noteAnswer({ replayed, now, clock, clipped }: Reply): void {
    if (clipped > 0) this.tell('counter-below-zero', { moves: clipped });
    // The org's time stands still until the clock catches up: no hold expires and no cycle ends.
    const aheadMs = now - clock;
    if (!replayed && aheadMs > ORG_AHEAD_MS) this.tellAtTimes('org-ahead-of-clock', { now, clock, aheadMs });
  }

  noteResult(op: Op, { status }: Result): void {
    const what = UNDONE[status];
    if (what === undefined || op.kind === 'renew') return;
    if (op.kind === 'refund' && status === 'unproven') this.options.observer?.unproven(op.charges);
    this.tell(what, { op });
  }

  /** The store lacks calls that it had answered. Many producers notice it at once. */
  rolledBack({ id, seq }: Producer, found: number): void {
    this.options.observer?.lostCalls(seq - found);
    this.tellAtTimes('store-rolled-back', { producer: id, answered: seq, found, lost: seq - found });
  }

  /** A process with another version may have other time zones; that must not end this process. */
  cycleUnknown(rule: string, err: unknown): void {
    this.tellAtTimes('cycle-unknown', { rule, err });
  }

  private tellAtTimes(what: string, details: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if (now < (this.quietUntil.get(what) ?? 0)) return;
    this.quietUntil.set(what, now + EVERY_MS);
    this.tell(what, details);
  }

  private tell(what: string, details: Readonly<Record<string, unknown>>): void {
    this.options.onTrouble?.(what, { org: this.org, ...details });
  }
}
