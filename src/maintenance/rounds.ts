/**
 * Maintains a ledger: expires holds of idle orgs, closes their cycles, folds the journal into history, and deletes old data.
 *
 * The store schedules each org: a call schedules a visit of its org, and a visit schedules the next one. Each process
 * takes orgs that are due, so the fleet shares the work, and an org in which nothing happens costs one look a full round.
 * The full round finds what a killed process did not schedule, and what a store without schedules has.
 */
import { randomUUID } from 'node:crypto';
import type { HistoryRetention } from '../history/retention.js';
import type { Job, Ledger, PendingWork } from '../ledger/port.js';
import { cleanOrg } from './clean.js';
import type { Expired } from './sweep.js';
import { type Retention, trimSystemLogs } from './trim.js';
import { visitOrg } from './visit.js';

export interface MaintenanceOptions {
  readonly ledger: Ledger;
  /** Time between two rounds. */
  readonly everyMs: number;
  /** How long the history is kept. */
  readonly history: HistoryRetention;
  readonly onError: (error: unknown) => void;
  /** Called when holds of an org expired. */
  readonly onExpired?: (expired: Expired) => void;
  /** Called when notices of an org are due. */
  readonly onNotices?: (org: string) => void;
  /** Called at each visit of an org; returns when its journal is exported next. */
  readonly onJournal?: (org: string, work: PendingWork) => number;
  /** Called at each cleaning of an org: deletes what others keep in it past its time. */
  readonly onClean?: (org: string) => Promise<void>;
  /** How long logs are kept. Absent: for ever. */
  readonly retention?: Retention;
}

export interface MaintenanceRounds {
  /** Does what is due in all orgs. */
  round(): Promise<void>;
  /** Ends a round after the org that it visits. */
  close(): void;
}

/** Each org is looked at once in this time, whatever happens. */
export const FULL_ROUND_MS = 15 * 60_000;
const CLEAN_EVERY_MS = 24 * 3_600_000;
const CLEAN_LOOK_MS = 60_000;
/** Orgs taken at once: a process that is killed leaves so many to the full round. */
const TAKEN_MAX = 50;
/** A start makes a full round, unless another process has just begun one. */
const FIRST_ROUND_MS = 5_000;

export function maintenanceRounds(options: MaintenanceOptions): MaintenanceRounds {
  const { ledger, everyMs, onError, onExpired, onNotices, onJournal, onClean, history, retention } = options;
  const holder = randomUUID();
  /** Taken from the schedule and not done: the next round tries them again. */
  const failed = new Map<Job, Set<string>>([
    ['visit', new Set()],
    ['clean', new Set()],
  ]);
  let rounds = 0;
  let closed = false;

  const isEvery = (ms: number): boolean => rounds % Math.max(1, Math.round(ms / everyMs)) === 0;

  const scheduleAll = async (): Promise<void> => {
    const isFirst = rounds === 0;
    const isOurs = isFirst
      ? await ledger.lease('first-round', holder, FIRST_ROUND_MS)
      : await ledger.lease('full-round', holder, FULL_ROUND_MS);
    if (!isOurs) return;
    const [orgs, now] = await Promise.all([ledger.orgs(), ledger.clock()]);
    const visits = (at: number) => orgs.map((org) => ({ org, at }));
    await ledger.schedule('visit', visits(isFirst ? 0 : now + FULL_ROUND_MS));
    await ledger.schedule('clean', visits(now + CLEAN_EVERY_MS));
    if (retention !== undefined) await trimSystemLogs(ledger, retention);
  };

  const doDue = async (job: Job, most: number, task: (org: string, againMs: number) => Promise<void>) => {
    const again = failed.get(job) ?? new Set();
    for (;;) {
      // Spread, so that orgs that were due together are not due together again.
      const againMs = Math.round(most * (0.5 + Math.random() / 2));
      const taken = await ledger.takeDue(job, TAKEN_MAX, againMs);
      for (const org of taken) again.add(org);
      for (const org of [...again]) {
        if (closed || !ledger.ready) return;
        // A failure in one org must not stop the others.
        await task(org, againMs).then(() => again.delete(org), onError);
      }
      if (taken.length < TAKEN_MAX) return;
    }
  };

  const visit = async (org: string, againMs: number): Promise<void> => {
    const expired = await visitOrg(org, { ledger, againMs, onNotices, onJournal, retention });
    if (expired.expired > 0) onExpired?.(expired);
  };

  const clean = async (org: string): Promise<void> => {
    await cleanOrg(ledger, org, history);
    await onClean?.(org);
  };

  const round = async (): Promise<void> => {
    if (isEvery(FULL_ROUND_MS)) await scheduleAll();
    await doDue('visit', FULL_ROUND_MS, visit);
    if (isEvery(CLEAN_LOOK_MS)) await doDue('clean', CLEAN_EVERY_MS, clean);
    rounds += 1;
  };

  return {
    round,
    close() {
      closed = true;
    },
  };
}
