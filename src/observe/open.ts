/** Metrics of open mode: what is admitted while the store makes no decision. */

import { decimalsOf } from '../quota/units.js';
import type { Builder } from './builder.js';
import type { Counter, MetricOf } from './metric-store.js';
import type { MetricsOptions } from './state.js';
import { numberOf } from './store.js';

/** Events of open mode; amounts are integers of the quota. */
type OpenEvent =
  | { readonly kind: 'began' | 'ended' | 'admitted' | 'bound-reached' }
  | { readonly kind: 'charged'; readonly quota: string; readonly units: number; readonly overshoot: number };

export class OpenMetrics {
  private readonly requests: MetricOf<Counter>;
  private readonly charged: MetricOf<Counter>;
  private readonly overshoots: MetricOf<Counter>;

  constructor(
    build: Builder,
    private readonly options: MetricsOptions,
  ) {
    const { quotas, state } = options;
    build.reading(
      'quotagate_open_mode',
      '1 during an outage in which open mode admits requests without a decision, within its limit.',
      () => numberOf(state()?.open.active),
    );
    this.requests = build.counters({
      name: 'quotagate_open_requests_total',
      help: 'Requests without a decision on routes with open mode: `admitted`, or refused because the limit was reached.',
      labels: ['outcome'],
    });
    build.gauges(
      {
        name: 'quotagate_open_units_outstanding',
        help: 'Units that open mode admitted and that are not charged yet.',
        labels: ['quota'],
      },
      () =>
        [...(state()?.open.outstanding ?? [])].map(([quota, units]) => [{ quota }, this.shown(quota, units)]),
    );
    this.charged = build.counters({
      name: 'quotagate_open_units_total',
      help: 'Units that open mode admitted and that were charged afterwards.',
      labels: ['quota'],
    });
    this.overshoots = build.counters({
      name: 'quotagate_open_overshoot_units_total',
      help: 'The part of them that exceeded a hard limit.',
      labels: ['quota'],
    });
    for (const outcome of ['admitted', 'bound-reached']) this.requests(outcome);
    for (const quota of Object.keys(quotas)) {
      this.charged(quota);
      this.overshoots(quota);
    }
  }

  note(event: OpenEvent): void {
    switch (event.kind) {
      case 'admitted':
      case 'bound-reached':
        this.requests(event.kind).add();
        return;
      case 'charged':
        this.charged(event.quota).add(this.shown(event.quota, event.units));
        this.overshoots(event.quota).add(this.shown(event.quota, event.overshoot));
    }
  }

  private shown(quota: string, units: number): number {
    return units / 10 ** decimalsOf(this.options.quotas, quota);
  }
}
