/** Metrics of the export of the journal, and what is logged about it. */
import type { Logger } from 'pino';
import type { Builder } from './builder.js';
import type { Counter, MetricOf, Sample } from './metric-store.js';

interface Lag {
  readonly target: string;
  readonly oldestAt: number;
  readonly nextAt: number;
}

/** An org whose next attempt is overdue by this much is exported by another process. */
const OVERDUE_MS = 60_000;
/** A target that fails for many orgs is logged once in this time. */
const LOG_EVERY_MS = 10_000;

export interface ExportObserverOptions {
  readonly logger: Logger;
  readonly targets: readonly string[];
  readonly alarm: () => void;
}

export class ExportMetrics {
  private readonly events: MetricOf<Counter>;
  private readonly failures: MetricOf<Counter>;
  private readonly losses: MetricOf<Counter>;
  private targets: readonly string[] = [];
  private readonly lags = new Map<string, Lag>();
  private readonly loggedAt = new Map<string, number>();

  constructor(build: Builder) {
    const labels = ['target'];
    this.events = build.counters({
      name: 'quotagate_journal_events_exported_total',
      help: 'Events of the journal that a target of `journal.exports` confirmed.',
      labels,
    });
    this.failures = build.counters({
      name: 'quotagate_journal_export_failures_total',
      help: 'Batches that a target did not confirm; they are sent again until it does.',
      labels,
    });
    this.losses = build.counters({
      name: 'quotagate_journal_entries_lost_total',
      help: 'Journal entries that were deleted before the target had them, because an org’s journal was larger than `journal.keepMiB`.',
      labels,
    });
    build.gauges(
      {
        name: 'quotagate_journal_export_lag_seconds',
        help: 'Age of the oldest entry that the target lacks, over the orgs that this process maintains; 0 if it has all.',
        labels,
      },
      () => this.ages(),
    );
  }

  /** The observer of the export to these targets. `alarm`: for a loss. */
  observer({ logger, targets, alarm }: ExportObserverOptions) {
    this.targets = targets;
    for (const target of targets)
      for (const counter of [this.events, this.failures, this.losses]) counter(target);
    return {
      sent: (target: string, events: number): void => this.events(target).add(events),
      failed: (target: string, org: string, reason: string): void => {
        this.failures(target).add();
        if (this.isQuiet(`failed:${target}`)) return;
        logger.warn(
          { event: 'journal_export_failed', target, org, reason },
          'A batch of the journal was not exported; it is sent again.',
        );
      },
      lost: (target: string, org: string, entries: number): void => {
        this.losses(target).add(entries);
        if (this.isQuiet(`lost:${target}:${org}`)) return;
        alarm();
        logger.error(
          { event: 'journal_entries_lost', target, org, entries },
          'Journal entries were deleted before the target had them: make it reachable, or raise journal.keepMiB.',
        );
      },
      lag: (target: string, org: string, lag: Omit<Lag, 'target'> | undefined): void => {
        const key = `${target}:${org}`;
        if (lag === undefined) this.lags.delete(key);
        else this.lags.set(key, { target, ...lag });
      },
    };
  }

  private isQuiet(about: string): boolean {
    const now = performance.now();
    const isQuiet = now - (this.loggedAt.get(about) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS;
    if (!isQuiet) this.loggedAt.set(about, now);
    return isQuiet;
  }

  private ages(): Sample[] {
    const now = Date.now();
    const ages = new Map(this.targets.map((target) => [target, 0]));
    for (const [key, { target, oldestAt, nextAt }] of this.lags) {
      if (nextAt + OVERDUE_MS < now) this.lags.delete(key);
      else ages.set(target, Math.max(ages.get(target) ?? 0, (now - oldestAt) / 1_000));
    }
    return [...ages].map(([target, age]) => [{ target }, age]);
  }
}
