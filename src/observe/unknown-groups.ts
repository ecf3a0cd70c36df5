/**
 * Counts groups that credentials claim and the directory does not have, and logs each once. The limit of a misspelled
 * group would silently not apply.
 */
import type { Logger } from 'pino';
import type { Result } from '../ledger/port.js';
import type { Builder } from './builder.js';
import type { Counter } from './metric-store.js';

export class UnknownGroupMetrics {
  readonly ignored: Counter;
  readonly denied: Counter;

  constructor(build: Builder) {
    const count = build.counters({
      name: 'quotagate_unknown_groups_total',
      help:
        'Requests whose credential claims a group that the directory does not have. `ignored`: decided without it; ' +
        '`denied`: refused (`identity.unknownGroups`). The log names each group once.',
      labels: ['outcome'],
    });
    this.ignored = count('ignored');
    this.denied = count('denied');
  }
}

/** Limits log and memory for claims of invented groups. */
const NAMED_MAX = 256;

export class UnknownGroups {
  private readonly named = new Set<string>();

  constructor(
    private readonly metrics: UnknownGroupMetrics,
    private readonly logger: Logger,
  ) {}

  /** `claims`: the groups that the credential claims, comma-separated. */
  decided(org: string, claims: string, result: Result): void {
    if (result.status === 'denied') {
      if (result.groups === undefined) return;
      this.metrics.denied.add();
      this.name(org, result.groups.split(','));
    } else if (result.status === 'admitted' || result.status === 'refused') {
      if (claims === result.groups) return;
      const known = result.groups.split(',');
      const unknown = claims.split(',').filter((group) => !known.includes(group));
      if (unknown.length === 0) return;
      this.metrics.ignored.add();
      this.name(org, unknown);
    }
  }

  private name(org: string, groups: readonly string[]): void {
    for (const group of groups) {
      const key = `${org}/${group}`;
      if (this.named.has(key) || this.named.size >= NAMED_MAX) continue;
      this.named.add(key);
      const last = this.named.size === NAMED_MAX ? ' Further groups are counted only.' : '';
      this.logger.warn(
        { event: 'unknown_group', org, group },
        `A credential claims a group that the organization does not have.${last}`,
      );
    }
  }
}
