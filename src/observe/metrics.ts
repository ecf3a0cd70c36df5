/**
 * All metrics. The stages do not import this file: they call small observer interfaces, which are implemented here. No
 * label names a user, a group or an org. `npm run docs` generates the table of metrics from this file.
 */
import { collectDefaultMetrics } from 'prom-client';
import { VERSION } from './build.js';
import { Builder, type MetricRow } from './builder.js';
import { DecisionMetrics } from './decisions.js';
import { ExportMetrics } from './exports.js';
import type { Counter, MetricOf } from './metric-store.js';
import { NoticeMetrics } from './notices.js';
import { OpenMetrics } from './open.js';
import type { MetricsOptions } from './state.js';
import { HoldMetrics, numberOf, StoreMetrics } from './store.js';
import { UnknownGroupMetrics } from './unknown-groups.js';
import { UpstreamMetrics } from './upstreams.js';

export type { MetricsOptions, State } from './state.js';

/** Gauges of prom-client with the suffix of counters. They are sums of `nodejs_active_handles`, `…_requests` and `…_resources`. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export class Metrics {
  readonly decisions: DecisionMetrics;
  readonly unknownGroups: UnknownGroupMetrics;
  readonly upstreams: UpstreamMetrics;
  readonly store: StoreMetrics;
  readonly holds: HoldMetrics;
  readonly open: OpenMetrics;
  readonly notices: NoticeMetrics;
  readonly exports: ExportMetrics;
  readonly process: ProcessMetrics;
  private readonly refusals: MetricOf<Counter>;
  private readonly build = new Builder();

  constructor({ quotas, state }: MetricsOptions) {
    const { build } = this;
    this.decisions = new DecisionMetrics(build, Object.keys(quotas));
    this.refusals = build.counters({
      name: 'quotagate_refusals_total',
      help: 'Requests that the gateway answered itself, by the code of the error.',
      labels: ['code'],
    });
    build.reading(
      'quotagate_requests_in_flight',
      'Requests whose response is still being sent.',
      () => state()?.requestsInFlight,
    );
    this.unknownGroups = new UnknownGroupMetrics(build);
    this.upstreams = new UpstreamMetrics(build);
    this.store = new StoreMetrics(build, quotas, state);
    this.holds = new HoldMetrics(build);
    this.open = new OpenMetrics(build, { quotas, state });
    this.notices = new NoticeMetrics(build);
    this.exports = new ExportMetrics(build);
    this.process = new ProcessMetrics(build, state);
  }

  /** In the order of the table. */
  get rows(): readonly MetricRow[] {
    return this.build.rows;
  }

  refused(code: string): void {
    this.refusals(code).add();
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.build.registry.metrics();
  }

  /** prom-client's own metrics: CPU, memory, garbage collection, event loop delay. They use their own timers. */
  addRuntime(): void {
    const { registry } = this.build;
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
}

/** Metrics of the process itself. */
export class ProcessMetrics {
  private readonly alarms: MetricOf<Counter>;
  private readonly reloads: MetricOf<Counter>;
  private readonly unlogged: Counter;
  private readonly expiries = new Map<string, number>();

  constructor(build: Builder, state: MetricsOptions['state']) {
    this.alarms = build.counters({
      name: 'quotagate_alarms_total',
      help: 'Events that an operator must look at (missing data, lost settlements or refunds, faults), by name; the log event is the same name in snake_case.',
      labels: ['what'],
    });
    build.reading('quotagate_ready', '1 while `/readyz` says ready.', () => numberOf(state()?.ready));
    this.reloads = build.counters({
      name: 'quotagate_reloads_total',
      help: 'Reloads of config and certificates: `taken`, or `refused` (the old one stays in use).',
      labels: ['what', 'outcome'],
    });
    build.gauges(
      {
        name: 'quotagate_certificate_expiry_timestamp_seconds',
        help: 'Expiry of a listener’s certificate, in seconds since 1970.',
        labels: ['listener'],
      },
      () => [...this.expiries].map(([listener, endsAt]) => [{ listener }, endsAt / 1_000] as const),
    );
    this.unlogged = build.counters({
      name: 'quotagate_log_lines_left_out_total',
      help: 'Refused requests without a log line, because there were too many in a second.',
    })();
    const about = { name: 'quotagate_build_info', help: 'Always 1; its labels identify the build.' };
    const labels = { version: VERSION, node: process.versions.node };
    build.gauges({ ...about, labels: Object.keys(labels) }, () => [[labels, 1]]);
  }

  alarm(what: string): void {
    this.alarms(what).add();
  }

  reloaded(what: 'config' | 'certificate', taken: boolean): void {
    this.reloads(what, taken ? 'taken' : 'refused').add();
  }

  /** `endsAt`: in ms since 1970. */
  certificate(listener: string, endsAt: number): void {
    this.expiries.set(listener, endsAt);
  }

  leftOut(): void {
    this.unlogged.add();
  }
}
