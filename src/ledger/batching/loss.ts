/**
 * An org whose data is missing. The place is marked, so that no gateway that starts now makes the org anew and counts from
 * 0; and it is looked at again and again, until the data is back (a backup, or the store that was meant) or an operator has
 * accepted the loss.
 */
import type { DecisionStore } from '../port.js';
import { type ConcurrencyLimiter, jittered } from './concurrency-limiter.js';

export interface LossOptions {
  readonly org: string;
  /** What the org was known by; '' where it was not known before. */
  readonly epoch: string;
  readonly ledger: DecisionStore;
  readonly looks: ConcurrencyLimiter;
  /** Before the first look: an org that is lost and found again and again must not be so without a pause. */
  readonly firstLookMs: number;
  readonly alarm: () => void;
  /** `found`: the data is back. `accepted`: what is there now counts. */
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

  /** A store that cannot be asked says nothing about the loss. */
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

  /** Checked on the connection that makes decisions: another connection may reach another server. */
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
