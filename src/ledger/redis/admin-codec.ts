/** Arguments and replies of the calls of admins and maintenance, as Redis and the scripts have them. */
import type { JournalTrim, NotedTarget } from '../journal-export.js';
import type { Change, LogEntry, NoticeField, PendingWork } from '../port.js';

/** A field, whether it has a value, and the value. */
export function fieldArgs([field, value]: NoticeField): (string | number)[] {
  return [field, value === null ? 0 : 1, value ?? ''];
}

export function isEpoch(change: Change): boolean {
  return 'set' in change && change.set === 'org' && change.field === 'epoch';
}

export function entriesOf(raw: unknown): LogEntry[] {
  return (raw as [string, string[]][]).map(([id, fields]) => ({ id, text: fields[1] ?? '' }));
}

/** Of trim-journal.lua. */
export function journalTrimIn(reply: unknown): JournalTrim {
  const [trimmed = 0, ...pairs] = reply as (number | string)[];
  const lost = grouped(pairs, 2).map(([target, entries]) => ({
    target: String(target),
    entries: Number(entries),
  }));
  return { trimmed: Number(trimmed), lost };
}

function grouped<T>(flat: readonly T[], size: number): T[][] {
  return Array.from({ length: flat.length / size }, (_, index) =>
    flat.slice(index * size, (index + 1) * size),
  );
}

function targetsIn(flat: readonly string[]): NotedTarget[] {
  return grouped(flat, 3).map(([target = '', text = '', firstWaiting = '']) => ({
    target,
    text,
    firstWaiting,
  }));
}

type Seven<T> = [T, T, T, T, T, T, T];

/** Undefined: the org does not exist. */
export function pendingWorkIn(reply: unknown): PendingWork | undefined {
  const [now, version, end, firstDue, noticesDue, stagingAt, journalLength, journalBytes, ...texts] =
    reply as [...Seven<number>, number, ...Seven<string>, string[]];
  if (version === 0) return undefined;
  const [firstEntry, fold, folding, rule, firstNotice, firstAudit, firstEvent, targets] = texts;
  const journal = { firstEntry, fold, folding, journalLength, journalBytes, exports: targetsIn(targets) };
  const logs = { firstNotice, noticesDue, firstAudit, firstEvent };
  return { now, end, firstDue, rule, stagingAt, ...journal, ...logs };
}
