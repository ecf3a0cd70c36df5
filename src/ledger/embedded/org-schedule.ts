/** The schedules of maintenance: org ids by the time of their next visit. */
import { isName } from '../../quota/id.js';
import type { Job, Visit } from '../port.js';

export class OrgSchedule {
  private readonly jobs: Record<Job, Map<string, number>> = { visit: new Map(), clean: new Map() };

  /** `orgs`: those that were loaded; what became due while no process ran is done at once. */
  constructor(orgs: Iterable<string>) {
    for (const org of orgs) for (const job of ['visit', 'clean'] as const) this.add(job, [{ org, at: 0 }]);
  }

  /** A later time than the scheduled one changes nothing. */
  add(job: Job, visits: readonly Visit[]): void {
    const times = this.jobs[job];
    for (const { org, at } of visits)
      if (isName(org) && at < (times.get(org) ?? Number.POSITIVE_INFINITY)) times.set(org, at);
  }

  /** Takes at most `most` orgs that are due at `now`; each is due again at `again`. */
  take(job: Job, { now, most, again }: { now: number; most: number; again: number }): string[] {
    const orgs: string[] = [];
    for (const [org, at] of this.jobs[job]) {
      if (orgs.length === most) break;
      if (at <= now) orgs.push(org);
    }
    for (const org of orgs) this.jobs[job].set(org, again);
    return orgs;
  }

  remove(org: string): void {
    for (const times of Object.values(this.jobs)) times.delete(org);
  }
}
