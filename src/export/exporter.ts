/**
 * Exports the journals of the orgs that maintenance hands over. One process at a time sends an org's entries to a target, under a
 * lease; the org notes what the target has, and keeps what it lacks. A target that fails is tried again, later each time, and does not
 * delay the others.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { appendedAt } from '../ledger/codec.js';
import { decodeExport, type NotedTarget } from '../ledger/journal-export.js';
import { type Ledger, type PendingWork, StoreError } from '../ledger/port.js';
import { withLease } from '../ledger/with-lease.js';
import type { Quotas } from '../quota/units.js';
import type { ExportObserver } from './observer.js';
import { AGE_MS, sendOrg } from './send-org.js';
import type { Target } from './target.js';

export interface ExporterOptions {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  readonly targets: readonly Target[];
  readonly source: string;
  /** Memory of an org's journal beyond which the oldest entries are deleted, whoever lacks them. */
  readonly keepBytes: number;
  readonly observer: ExportObserver;
  readonly onError: (error: unknown) => void;
}

export interface Exporter {
  /** Begins what is due in the org, unless it is under way; returns when it is due next, in the org's time. */
  look(org: string, work: PendingWork): number;
  /** Ends after the batches in flight. */
  close(): Promise<void>;
}

/** Of one target: a slow one does not hold up the others. */
const ORGS_AT_ONCE = 8;
const CLOSE_MS = 5_000;
const FIRST_WAIT_MS = 1_000;
const WAIT_MAX_MS = 300_000;
const SPREAD = 0.2;
/** A target without an attempt for this long, which the config does not have, is forgotten: no other process has it either. */
const FORGET_MS = 3_600_000;

interface Pause {
  failures: number;
  /** By the clock of the process. */
  until: number;
}

export function createExporter(options: ExporterOptions): Exporter {
  const { ledger, targets, keepBytes, observer, onError } = options;
  const holder = randomUUID();
  const running = new Map<string, Promise<void>>();
  const pauses = new Map<string, Pause>();
  const stop = new AbortController();

  /** `job` names a target and an org, and no two of them run at once. */
  function start(job: string, task: () => Promise<void>): void {
    if (stop.signal.aborted || running.has(job)) return;
    const done = task()
      .catch((error) => {
        // The org is visited again; the state of the store has its own metrics.
        if (!(error instanceof StoreError)) onError(error);
      })
      .finally(() => running.delete(job));
    running.set(job, done);
  }

  const runningOf = (name: string): number =>
    [...running.keys()].filter((job) => job.startsWith(`export:${name}:`)).length;

  async function send(job: string, org: string, target: Target): Promise<void> {
    await withLease(ledger, { job, holder }, async (lost) => {
      const signal = AbortSignal.any([stop.signal, lost]);
      if (await sendOrg(options, { org, target, signal })) return void pauses.delete(job);
      const failures = (pauses.get(job)?.failures ?? 0) + 1;
      pauses.set(job, { failures, until: performance.now() + backoffMs(failures) });
    });
  }

  function lookAtTarget(org: string, target: Target, work: PendingWork): number {
    const noted = work.exports.find((one) => one.target === target.name);
    const job = `export:${target.name}:${org}`;
    const pause = Math.max(0, Math.ceil((pauses.get(job)?.until ?? 0) - performance.now()));
    const dueAt = Math.max(dueTimeOf(noted, work.now), pause === 0 ? 0 : work.now + pause);
    if (dueAt <= work.now && runningOf(target.name) < ORGS_AT_ONCE) start(job, () => send(job, org, target));
    const oldestAt = noted === undefined || noted.firstWaiting === '' ? 0 : appendedAt(noted.firstWaiting);
    observer.lag(target.name, org, oldestAt === 0 ? undefined : { oldestAt, nextAt: dueAt });
    return dueAt;
  }

  async function forget(org: string, { target, text }: NotedTarget): Promise<void> {
    await ledger.stepExport(org, { target, was: text, next: null });
    await shorten(org, Number.MAX_SAFE_INTEGER);
  }

  async function shorten(org: string, keepEntries: number): Promise<void> {
    for (let trimmed = 1; trimmed > 0 && !stop.signal.aborted; ) {
      const trim = await ledger.trimJournal(org, keepEntries);
      for (const { target, entries } of trim.lost) observer.lost(target, org, entries);
      ({ trimmed } = trim);
    }
  }

  return {
    look(org, work) {
      const dues = targets.map((target) => lookAtTarget(org, target, work));
      for (const noted of work.exports) {
        if (targets.some(({ name }) => name === noted.target)) continue;
        const dueAt = decodeExport(noted.text).at + FORGET_MS;
        if (dueAt <= work.now) start(`forget:${noted.target}:${org}`, () => forget(org, noted));
        dues.push(dueAt);
      }
      if (work.journalBytes > keepBytes)
        start(`shorten:${org}`, () => shorten(org, entriesWithin(keepBytes, work)));
      return Math.min(...dues);
    },
    async close() {
      stop.abort();
      await Promise.race([Promise.all(running.values()), delay(CLOSE_MS, undefined, { ref: false })]);
      await Promise.all(targets.map((target) => target.close()));
    },
  };
}

/** By the average size of the entries: what is too much still, the next visit deletes. */
function entriesWithin(bytes: number, { journalLength, journalBytes }: PendingWork): number {
  return Math.floor((journalLength * bytes) / journalBytes);
}

/** When the target is due, were it not paused. A target that the org does not know is noted at once. */
function dueTimeOf(noted: NotedTarget | undefined, now: number): number {
  if (noted === undefined) return now;
  if (noted.firstWaiting === '') return Number.POSITIVE_INFINITY;
  const at = appendedAt(noted.firstWaiting);
  // The clock was set back, or jumped.
  return at > now ? now : at + AGE_MS;
}

/** Doubled each time, and spread, so that not all orgs come at once. */
function backoffMs(failures: number): number {
  const wait = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20));
  return wait * (1 - SPREAD * Math.random());
}
