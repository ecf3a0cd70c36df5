/** Metrics of upstream requests. */
import type { DropReason } from '../http/field-names.js';
import type { Builder } from './builder.js';
import type { Counter, Histogram, MetricOf } from './metric-store.js';

const UPSTREAM_SECONDS = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300];

export const UPSTREAM_OUTCOMES = [
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  'cut-short',
  'no-answer',
  'not-sent',
  'client-gone',
] as const;
export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

export class UpstreamMetrics {
  private readonly outcomes: MetricOf<Counter>;
  private readonly seconds: MetricOf<Histogram>;
  private readonly dropped: MetricOf<Counter>;
  private readonly known = new Map<string, { seconds: Histogram; outcomes: Map<string, Counter> }>();

  constructor(build: Builder) {
    this.outcomes = build.counters({
      name: 'quotagate_upstream_outcomes_total',
      help:
        'Forwarded requests by how they ended: the class of the status; the response broke off; no response arrived; ' +
        'nothing was sent; the client left first.',
      labels: ['upstream', 'outcome'],
    });
    this.seconds = build.histograms(
      {
        name: 'quotagate_upstream_seconds',
        help: 'Time from sending a request to the upstream to the end of the response, including the time in which the client reads it.',
        labels: ['upstream'],
      },
      UPSTREAM_SECONDS,
    );
    this.dropped = build.counters({
      name: 'quotagate_request_fields_dropped_total',
      help:
        'Request headers that were not forwarded. `name`: the name has characters other than letters, digits and `-`; ' +
        '`moves`: servers could read another path, method or caller from it. `upstreams.*.passHeaders` passes those that are needed.',
      labels: ['upstream', 'reason'],
    });
  }

  /** Called at boot, so that a request only increments. Returns the function that counts a dropped request header. */
  prepare(upstream: string): (reason: DropReason) => void {
    const outcomes = UPSTREAM_OUTCOMES.map((outcome) => [outcome, this.outcomes(upstream, outcome)] as const);
    this.known.set(upstream, { seconds: this.seconds(upstream), outcomes: new Map(outcomes) });
    const name = this.dropped(upstream, 'name');
    const moves = this.dropped(upstream, 'moves');
    return (reason) => (reason === 'name' ? name : moves).add();
  }

  ended(upstream: string, outcome: UpstreamOutcome, ms: number): void {
    const metrics = this.known.get(upstream);
    if (metrics === undefined) return;
    metrics.outcomes.get(outcome)?.add();
    metrics.seconds.note(ms / 1_000);
  }
}
