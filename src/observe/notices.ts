/** Metrics of notices, and what is logged about them. */
import type { Logger } from 'pino';
import type { Builder } from './builder.js';
import type { Counter, MetricOf } from './metric-store.js';

const CHANNELS = ['email', 'webhook'] as const;
type Channel = (typeof CHANNELS)[number];

interface Waiting {
  readonly deliveries: number;
  readonly oldestAt: number;
  readonly nextAt: number;
}

/** An org whose next attempt is overdue by this much is delivered by another process. */
const OVERDUE_MS = 60_000;

export class NoticeMetrics {
  private readonly sentMessages: MetricOf<Counter>;
  private readonly sentNotices: MetricOf<Counter>;
  private readonly failures: MetricOf<Counter>;
  private readonly givenUp: MetricOf<Counter>;
  private readonly without: Counter;
  private readonly waitingByOrg = new Map<string, Waiting>();

  constructor(build: Builder) {
    const labels = ['channel'];
    this.sentMessages = build.counters({
      name: 'quotagate_notice_messages_sent_total',
      help: 'Delivered messages, with notices or an invitation: `email` (one per recipient) or `webhook`.',
      labels,
    });
    this.sentNotices = build.counters({
      name: 'quotagate_notices_sent_total',
      help: 'Notices in the delivered messages: a message that tells many at once is a digest.',
      labels,
    });
    this.failures = build.counters({
      name: 'quotagate_notice_attempts_failed_total',
      help: 'Attempts to deliver a message that failed; they are repeated for at least three days.',
      labels,
    });
    this.givenUp = build.counters({
      name: 'quotagate_notice_messages_given_up_total',
      help: 'Messages that were given up: `GET /notifications/failures` lists them, and they can be sent again.',
      labels,
    });
    for (const channel of CHANNELS)
      for (const counter of [this.sentMessages, this.sentNotices, this.failures, this.givenUp])
        counter(channel);
    this.without = build.counters({
      name: 'quotagate_notices_without_recipient_total',
      help: 'Notices that nobody was told: the org has no admin with an address, no listed address and no webhook, or the config has no `smtp`.',
    })();
    build.reading(
      'quotagate_notice_messages_waiting',
      'Messages that this process delivers and that have not arrived yet.',
      () => this.sum(),
    );
    build.reading(
      'quotagate_notice_oldest_age_seconds',
      'Age of the oldest of these messages; 0 if there is none.',
      () => this.oldestAge(),
    );
  }

  /** The observer of notices. */
  observer(logger: Logger) {
    const unheardLogged = new Set<string>();
    return {
      sent: (channel: Channel, notices: number): void => {
        this.sentMessages(channel).add();
        this.sentNotices(channel).add(notices);
        logger.debug({ event: 'notices_sent', channel, notices }, 'Notices were delivered.');
      },
      failed: (channel: Channel, error: string): void => {
        this.failures(channel).add();
        logger.warn(
          { event: 'notices_delayed', channel, reason: error },
          'Notices could not be delivered; the attempt is repeated.',
        );
      },
      gaveUp: (org: string, channel: Channel, error: string): void => {
        this.givenUp(channel).add();
        logger.error(
          { event: 'notices_given_up', org, channel, reason: error },
          'Notices could not be delivered and are given up; fix the cause and send them again (GET /notifications/failures).',
        );
      },
      unheard: (org: string, notices: number): void => {
        this.without.add(notices);
        // Once a process: the metric counts them all.
        if (unheardLogged.has(org)) return;
        unheardLogged.add(org);
        logger.warn(
          { event: 'notices_without_recipient', org, notices },
          'Nobody is told about the limits of this org: give a user the role admin and an address, list an address, or add a webhook.',
        );
      },
      waiting: (org: string, waiting: Waiting | undefined): void => {
        if (waiting === undefined) this.waitingByOrg.delete(org);
        else this.waitingByOrg.set(org, waiting);
      },
    };
  }

  private current(): Waiting[] {
    const now = Date.now();
    for (const [org, { nextAt }] of this.waitingByOrg)
      if (nextAt + OVERDUE_MS < now) this.waitingByOrg.delete(org);
    return [...this.waitingByOrg.values()];
  }

  private sum(): number {
    return this.current().reduce((sum, { deliveries }) => sum + deliveries, 0);
  }

  private oldestAge(): number {
    const oldest = Math.min(...this.current().map(({ oldestAt }) => oldestAt));
    return Number.isFinite(oldest) ? Math.max(0, (Date.now() - oldest) / 1_000) : 0;
  }
}
