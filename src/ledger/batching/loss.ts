/**
 * An org whose data is missing. The place is marked, so that a gateway that starts now does not create the org again
 * and count from 0. It is checked repeatedly until the data is back (from a backup, or because the right store is
 * reached again), or an operator accepts the loss.
 */
import type { DecisionStore } from '../port.js';
import { type ConcurrencyLimiter, jittered } from './concurrency-limiter.js';

export interface LossOptions {
  readonly org: string;
  /** The epoch by which the org was known; '' if it was not known before. */
  readonly epoch: string;
  readonly ledger: DecisionStore;
  readonly looks: ConcurrencyLimiter;
  /** Pause before the first check: repeated losses must not cause checks without a pause. */
  readonly firstLookMs: number;
  readonly alarm: () => void;
  /** `found`: the data is back. `accepted`: the present data counts. */
  readonly over: (how: 'found' | 'accepted') => void;
}

const LOOK_EVERY_MS = 2_000;
const ALARM_EVERY_MS = 60_000;

export class Loss {
  private timer: NodeJS.Timeout | undefined;
  private alarmAt = 0;
  private closed = false;

  constructor(private readonly options: LossOptions) {
    if (options.firstLookMs === 0) this.look();
    else this.timer = setTimeout(() => this.look(), jittered(options.firstLookMs));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private look(): void {
    const now = performance.now();
    if (now >= this.alarmAt) {
      this.alarmAt = now + ALARM_EVERY_MS;
      this.options.alarm();
    }
    this.options.looks.enter(() => this.check().catch(() => undefined));
  }

  /** A failed check says nothing about the loss. */
  private async check(): Promise<void> {
    try {
      if (this.closed) return;
      const how = await this.found();
      if (how === undefined || this.closed) return;
      this.close();
      this.options.over(how);
    } finally {
      if (!this.closed) this.timer = setTimeout(() => this.look(), jittered(LOOK_EVERY_MS));
    }
  }

  /** The check uses the connection of decisions, because another connection may reach another server. */
  private async found(): Promise<'found' | 'accepted' | undefined> {
    const { ledger, org, epoch: known } = this.options;
    const { version, epoch, accepted } = await ledger.epochOf(org);
    if (version === 0) {
      await ledger.markLost(org);
      return undefined;
    }
    if (epoch === '') return undefined;
    if (known === '' || epoch === known) return 'found';
    return accepted === epoch ? 'accepted' : undefined;
  }
}
