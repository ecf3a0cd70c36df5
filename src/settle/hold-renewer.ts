/** Renews the holds of open requests with their known consumption, so that a hold lives as long as its response. */
import type { RenewOp, Result } from '../ledger/port.js';
import type { Admission, SettlementQueue } from './admission.js';

const RENEWALS_PER_LIFE = 3;
/** The renewals of one tick are spread over the time until the next tick, in steps of this. */
const STEP_MS = 20;

export class HoldRenewer {
  /** When each hold must be renewed next; infinite while the store has not confirmed the last renewal. */
  private readonly live = new Map<Admission, number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly everyMs: number;
  private readonly tickMs: number;

  constructor(
    private readonly queue: SettlementQueue,
    private readonly ttlMs: number,
    private readonly onLost: (error: unknown) => void,
  ) {
    this.everyMs = ttlMs / RENEWALS_PER_LIFE;
    this.tickMs = this.everyMs / RENEWALS_PER_LIFE;
  }

  add(admission: Admission): void {
    this.live.set(admission, performance.now() + this.everyMs);
    // The timer stops with the last hold, because after a reload nobody closes the renewer of the previous config.
    this.timer ??= setInterval(() => this.renewDue(), this.tickMs).unref();
  }

  delete(admission: Admission): void {
    this.live.delete(admission);
  }

  private renewDue(): void {
    if (this.live.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = performance.now();
    const due: Admission[] = [];
    for (const [admission, at] of this.live) if (at <= now) due.push(admission);
    const steps = Math.max(1, Math.floor(this.tickMs / STEP_MS) - 1);
    this.renewSome(due, Math.ceil(due.length / steps));
  }

  /** Requests that start together have holds that are due together; the store needs time for decisions in between. */
  private renewSome(due: Admission[], most: number): void {
    for (const admission of due.splice(-most)) {
      const at = this.live.get(admission);
      // It has ended, or was extended, since the tick.
      if (at !== undefined && at <= performance.now()) this.send(admission, []).catch(this.onLost);
    }
    if (due.length > 0) setTimeout(() => this.renewSome(due, most), STEP_MS).unref();
  }

  /** Renews a hold early, to hold `more` additional units, per held charge. */
  async extend(admission: Admission, more: readonly number[]): Promise<Result> {
    const { result } = await this.send(admission, more);
    return result;
  }

  private async send(admission: Admission, wanted: readonly number[]): Promise<{ readonly result: Result }> {
    const { org, cycle } = admission;
    this.plan(admission, Number.POSITIVE_INFINITY);
    try {
      return await this.queue.enqueueSettlement(org, this.renewal(admission, wanted), cycle);
    } finally {
      this.plan(admission, performance.now() + this.everyMs);
    }
  }

  /** A hold that has ended meanwhile is not renewed. */
  private plan(admission: Admission, at: number): void {
    if (this.live.has(admission)) this.live.set(admission, at);
  }

  private renewal({ hold, charges, reader }: Admission, wanted: readonly number[]): RenewOp {
    const items = charges.items.filter((item) => item.kind !== 'gate');
    const progress = reader?.progress() ?? [];
    const units: number[] = [];
    const more: number[] = [];
    let held = 0;
    for (const item of items) {
      const isHeld = item.kind === 'held';
      units.push(isHeld ? (progress[held] ?? 0) : item.units);
      more.push(isHeld ? (wanted[held] ?? 0) : 0);
      if (isHeld) held += 1;
    }
    const quotas = items.map((item) => item.quota);
    return { kind: 'renew', hold, ttlMs: this.ttlMs, quotas, units, more };
  }
}
