/**
 * Counts refused requests of this process, and sends the counts to the journal with the settlements. A flood of refusals so costs one
 * operation a second and org, whatever its rate, and no count is lost but by a kill.
 */
import { encodeRefusal } from '../codec.js';
import type { RefusalsOp, Refused, Violation } from '../port.js';

/** Counts are this old at most when they are sent. */
const FLUSH_MS = 1_000;
/** Lines of one operation: limits what one call writes. */
const LINES_MAX = 200;
/** Distinct counts in memory. Further ones are counted without their user. */
const COUNTS_MAX = 20_000;
/** Time zones differ by whole quarters of an hour, so that one quarter is always within one hour. */
const QUARTER_MS = 900_000;

export interface RefusedCall {
  readonly org: string;
  /** User key. */
  readonly user: string;
  readonly action: string;
  readonly refused: Refused;
  /** The org's time. */
  readonly now: number;
}

interface Count {
  readonly at: number;
  readonly user: string;
  readonly action: string;
  readonly violation: Violation;
  count: number;
}

export class RefusalCounts {
  private orgs = new Map<string, Map<string, Count>>();
  private size = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param send resolves or rejects when nothing is left to do */
  constructor(private readonly send: (org: string, op: RefusalsOp) => Promise<unknown>) {}

  note({ org, user, action, refused, now }: RefusedCall): void {
    const violation = refused.violated[refused.primary];
    if (violation === undefined) return;
    const { quota, scope, group } = violation;
    const quarter = Math.floor(now / QUARTER_MS);
    const counts = this.countsOf(org);
    const about = `${quota}|${action}|${quarter}|${scope}|${group}`;
    const known = counts.get(`${user}|${about}`);
    if (known !== undefined) known.count += 1;
    else this.add(counts, about, { at: quarter * QUARTER_MS, user, action, violation, count: 1 });
    this.timer ??= setTimeout(this.flush, FLUSH_MS).unref();
  }

  /** Sends all counts. */
  readonly flush = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { orgs } = this;
    this.orgs = new Map();
    this.size = 0;
    for (const [org, counts] of orgs) {
      const lines = [...counts.values()].map(lineOf);
      for (let at = 0; at < lines.length; at += LINES_MAX) {
        const op = { kind: 'refusals', lines: lines.slice(at, at + LINES_MAX).join('\n') } as const;
        // An org that does not exist has no journal.
        this.send(org, op).catch(() => undefined);
      }
    }
  };

  private countsOf(org: string): Map<string, Count> {
    let counts = this.orgs.get(org);
    if (counts === undefined) {
      counts = new Map();
      this.orgs.set(org, counts);
    }
    return counts;
  }

  private add(counts: Map<string, Count>, about: string, count: Count): void {
    const isFull = this.size >= COUNTS_MAX;
    const user = isFull ? '' : count.user;
    const known = counts.get(`${user}|${about}`);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    counts.set(`${user}|${about}`, { ...count, user });
    this.size += 1;
  }
}

function lineOf({ at, user, action, violation, count }: Count): string {
  const { quota, scope, group } = violation;
  return encodeRefusal({ at, user, action, quota, scope, group, count });
}
