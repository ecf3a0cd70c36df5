/**
 * The schedules of maintenance: sorted sets of org ids by the time of their next visit. A decision does not write them,
 * because they are outside the org's slot: this process remembers the orgs that its calls touched, and schedules all of
 * them with one command a second. A process that is killed meanwhile leaves them to the next full round.
 */
import type { Job, Reply, Visit } from '../port.js';

export interface OrgScheduleOptions {
  readonly add: (job: Job, args: (string | number)[]) => Promise<unknown>;
}

const FLUSH_MS = 1_000;
/** Limits how long one command takes. */
const VISITS_AT_ONCE = 200;

export class OrgSchedule {
  private touched = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: OrgScheduleOptions) {}

  /** Records that a call may have left work in the org. */
  touch(org: string): void {
    this.touched.add(org);
    this.timer ??= setTimeout(() => void this.flush().catch(() => undefined), FLUSH_MS).unref();
  }

  /** Touches the org where the call changed it, or may have: it has no answer. */
  touchAfter(org: string, reply: Promise<Reply>): Promise<Reply> {
    const touch = (): void => this.touch(org);
    reply.then(({ code }) => (code === 'ok' ? touch() : undefined), touch);
    return reply;
  }

  /** Schedules the touched orgs at once; those of a failed command are tried again. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.touched.size === 0) return;
    const orgs = [...this.touched];
    this.touched = new Set();
    try {
      await this.add(
        'visit',
        orgs.map((org) => ({ org, at: 0 })),
      );
    } catch (error) {
      for (const org of orgs) this.touch(org);
      throw error;
    }
  }

  /** A later time than the scheduled one changes nothing. */
  async add(job: Job, visits: readonly Visit[]): Promise<void> {
    for (let from = 0; from < visits.length; from += VISITS_AT_ONCE) {
      const some = visits.slice(from, from + VISITS_AT_ONCE);
      await this.options.add(job, ['LT', ...some.flatMap(({ org, at }) => [at, org])]);
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
