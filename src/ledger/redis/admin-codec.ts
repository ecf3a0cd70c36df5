/** Arguments and replies of the calls of admins and maintenance, as Redis and the scripts have them. */
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

type Six<T> = [T, T, T, T, T, T];

/** Undefined: the org does not exist. */
export function pendingWorkIn(reply: unknown): PendingWork | undefined {
  const [now, version, end, firstDue, noticesDue, stagingAt, ...texts] = reply as [
    ...Six<number>,
    ...string[],
  ];
  if (version === 0) return undefined;
  const [firstEntry = '', fold = '', folding = '', rule = '', ...firsts] = texts;
  const [firstNotice = '', firstAudit = '', firstEvent = ''] = firsts;
  const notices = { firstNotice, noticesDue, firstAudit, firstEvent };
  return { now, end, firstDue, firstEntry, fold, folding, rule, stagingAt, ...notices };
}
