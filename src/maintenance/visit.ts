/** One visit of maintenance to an org: looks once, does what is due, and schedules the next visit. */
import { appendedAt } from '../ledger/codec.js';
import { type Ledger, type PendingWork, STAGING_IDLE_MS } from '../ledger/port.js';
import { foldJournal } from './fold.js';
import { type Expired, sweepOrg } from './sweep.js';
import { type Retention, trimLogs } from './trim.js';

/** Entries wait this long to be folded together: more entries make fewer sums. */
const FOLD_AFTER_MS = 10_000;
/** Younger entries stay in the journal, where the copies of lists find what they have not seen yet. */
const FOLD_AGE_MS = 5_000;
/** After work was done, the org is looked at again. */
const AGAIN_MS = 1_000;
const NOTHING: Expired = { expired: 0, overshoots: [] };

/** Notices wait this long to be told together. */
const COLLECT_MS = 3_000;

export interface VisitOptions {
  readonly ledger: Ledger;
  /** When the org is due again without an earlier visit. */
  readonly againMs: number;
  /** Called when notices are due. Absent: they stay where they are. */
  readonly onNotices?: ((org: string) => void) | undefined;
  /** Called at each visit; returns when the org's journal is exported next. */
  readonly onJournal?: ((org: string, work: PendingWork) => number) | undefined;
  /** Absent: logs are kept for ever. */
  readonly retention?: Retention | undefined;
}

export async function visitOrg(
  org: string,
  { ledger, againMs, onNotices, onJournal, retention }: VisitOptions,
): Promise<Expired> {
  const work = await ledger.pendingWork(org);
  if (work === undefined) {
    // An org that is being created has pieces of it only.
    if (await ledger.endStaging(org)) await ledger.unschedule(org);
    return NOTHING;
  }
  const { now, end, firstDue, stagingAt } = work;
  const stagingEnd = stagingAt === 0 ? Number.POSITIVE_INFINITY : stagingAt + STAGING_IDLE_MS;
  if (stagingEnd <= now) await ledger.endStaging(org);
  const foldAt = foldTimeOf(work);
  const isDue = now >= end || (firstDue !== 0 && firstDue <= now);
  const expired = isDue ? await sweepOrg(ledger, org) : NOTHING;
  if (foldAt <= now) await foldJournal(ledger, org, untilOf(work));
  if (retention !== undefined) await trimLogs(ledger, org, { work, retention });
  const noticesAt = onNotices === undefined ? Number.POSITIVE_INFINITY : noticeTimeOf(work);
  if (noticesAt <= now) onNotices?.(org);
  const exportAt = onJournal?.(org, work) ?? Number.POSITIVE_INFINITY;
  const later = Math.min(end, firstDue === 0 ? end : firstDue, foldAt, noticesAt, exportAt, stagingEnd);
  const next = isDue || Math.min(foldAt, noticesAt, exportAt) <= now ? now + AGAIN_MS : later;
  if (next < now + againMs) await ledger.schedule('visit', [{ org, at: next }]);
  return expired;
}

/** The latest time of an entry that is folded; all entries, if the clock was set back or jumped. */
function untilOf({ firstEntry, now }: PendingWork): number {
  return appendedAt(firstEntry) > now ? Number.POSITIVE_INFINITY : now - FOLD_AGE_MS;
}

/** An entry whose time does not fit the org's is folded at once: the clock was set back, or jumped. */
function foldTimeOf({ firstEntry, folding, now }: PendingWork): number {
  if (firstEntry === '') return Number.POSITIVE_INFINITY;
  const foldAt = appendedAt(firstEntry) + FOLD_AFTER_MS;
  return folding !== '' || foldAt > now + FOLD_AFTER_MS ? now : foldAt;
}

function noticeTimeOf({ firstNotice, noticesDue, now }: PendingWork): number {
  const dueAt = noticesDue === 0 ? Number.POSITIVE_INFINITY : noticesDue;
  if (firstNotice === '') return dueAt;
  const queuedAt = appendedAt(firstNotice);
  // As above: the clock was set back, or jumped.
  return Math.min(dueAt, queuedAt > now ? now : queuedAt + COLLECT_MS);
}
