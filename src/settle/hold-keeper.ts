/** Renews the holds of requests under way, with what is known to be consumed, so that a hold lives as long as its answer. */
import type { Admission, Debts } from './admission.js';

const RENEWALS_PER_LIFE = 3;

export class HoldKeeper {
  /** When each hold is to be renewed next. */
  private readonly live = new Map<Admission, number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly everyMs: number;

  constructor(
    private readonly debts: Debts,
    private readonly ttlMs: number,
    private readonly onLost: (error: unknown) => void,
  ) {
    this.everyMs = ttlMs / RENEWALS_PER_LIFE;
  }

  add(admission: Admission): void {
    this.live.set(admission, performance.now() + this.everyMs);
    // It ends with the last hold: after a reload, nobody closes the keeper of the config before.
    this.timer ??= setInterval(() => this.renewDue(), this.everyMs / RENEWALS_PER_LIFE).unref();
  }

  delete(admission: Admission): void {
    this.live.delete(admission);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private renewDue(): void {
    if (this.live.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = performance.now();
    for (const [admission, due] of this.live) {
      if (due > now) continue;
      this.live.set(admission, now + this.everyMs);
      this.renew(admission);
    }
  }

  private renew({ org, hold, cycle, charges, evidence }: Admission): void {
    const items = charges.items.filter((item) => item.kind !== 'gate');
    const progress = evidence?.progress() ?? [];
    let held = 0;
    const units = items.map((item) => {
      if (item.kind === 'fixed') return item.units;
      held += 1;
      return progress[held - 1] ?? 0;
    });
    const quotas = items.map((item) => item.quota);
    const more = items.map(() => 0);
    const renewal = { kind: 'renew', hold, ttlMs: this.ttlMs, quotas, units, more } as const;
    this.debts.owe(org, renewal, cycle).catch(this.onLost);
  }
}
