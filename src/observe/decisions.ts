/** Counts decisions by quota, scope and outcome, and measures their latency. */
import type { Result, Violation } from '../ledger/port.js';
import type { Charges } from '../quota/charge.js';
import type { Scope } from '../quota/id.js';
import type { Builder } from './builder.js';
import type { Counter, Histogram, MetricOf } from './metric-store.js';

/** Starts at 50 µs, because decisions above a millisecond are worth attention. */
const DECISION_SECONDS = [
  5e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.25, 1,
];

/** The scope if no limit is exceeded. */
const NONE = 'none';

type ByScope = Readonly<Record<Scope, Counter>>;

interface QuotaCounters {
  readonly admitted: Counter;
  readonly shadow: ByScope;
  readonly spent: ByScope;
  readonly held: ByScope;
}

export class DecisionMetrics {
  private readonly seconds: Histogram;
  private readonly count: MetricOf<Counter>;
  private readonly byQuota: ReadonlyMap<string, QuotaCounters>;

  constructor(build: Builder, quotas: readonly string[]) {
    this.seconds = build.histograms(
      {
        name: 'quotagate_decision_seconds',
        help: 'Time from asking the ledger to its decision, including the wait for a store call. Its count is the number of decisions.',
      },
      DECISION_SECONDS,
    )();
    this.count = build.counters({
      name: 'quotagate_decisions_total',
      help:
        'Decisions, one per charged quota; a refusal counts one per exceeded quota, with the scope of its first exceeded ' +
        'limit. `admitted`; `shadow` (in addition to `admitted`: a soft or shadow limit is exceeded); `spent`, `held` ' +
        '(refused); `open` (admitted without the store); or why nothing was charged: the reason of the denial or of the ' +
        'missing decision.',
      labels: ['quota', 'scope', 'outcome'],
    });
    this.byQuota = new Map(quotas.map((quota) => [quota, this.countersOf(quota)]));
  }

  decided(charges: Charges, result: Result, ms: number): void {
    this.seconds.note(ms / 1_000);
    switch (result.status) {
      case 'admitted':
        for (const { quota } of charges.items) this.byQuota.get(quota)?.admitted.add();
        this.refuse('shadow', result.violated);
        return;
      case 'refused':
        this.refuse(result.reason, result.violated);
        return;
      case 'denied':
        this.other(charges, result.reason);
    }
  }

  /** Without a decision: `why` is the error code, or `open`. */
  undecided(charges: Charges, why: string, ms: number): void {
    this.seconds.note(ms / 1_000);
    this.other(charges, why === 'store-unavailable' ? 'unavailable' : why);
  }

  private other(charges: Charges, outcome: string): void {
    for (const { quota } of charges.items) this.count(quota, NONE, outcome).add();
  }

  private refuse(outcome: 'shadow' | 'spent' | 'held', violated: readonly Violation[]): void {
    for (const [index, { quota, scope }] of violated.entries()) {
      const first = violated.findIndex((other) => other.quota === quota) === index;
      if (first) this.byQuota.get(quota)?.[outcome][scope].add();
    }
  }

  private countersOf(quota: string): QuotaCounters {
    const byScope = (outcome: string): ByScope => ({
      user: this.count(quota, 'user', outcome),
      group: this.count(quota, 'group', outcome),
      org: this.count(quota, 'org', outcome),
    });
    return {
      admitted: this.count(quota, NONE, 'admitted'),
      shadow: byScope('shadow'),
      spent: byScope('spent'),
      held: byScope('held'),
    };
  }
}
