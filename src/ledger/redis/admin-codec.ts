/** Arguments and replies of the calls of admins and maintenance, as Redis and the scripts have them. */
import type { Change, LogEntry, NoticeField, PendingWork, Snapshot, Table, Want } from '../port.js';

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

/** Per `Want`: the index of its table in KEYS, the number of fields, and the fields. */
export function wantArgs(wants: readonly Want[], place: (table: Table) => number): (string | number)[] {
  return wants.flatMap(({ table, fields }) => [place(table), fields.length, ...fields]);
}

export function snapshotIn(reply: unknown, wants: readonly Want[]): Snapshot {
  const [now, version, ...found] = reply as [number, number, ...(string | null)[]];
  let at = 0;
  const values = wants.map(({ fields }) => {
    const from = at;
    at += fields.length;
    return found.slice(from, at);
  });
  return { now, version, values };
}

type Five<T> = [T, T, T, T, T];

/** Undefined: the org does not exist. */
export function pendingWorkIn(reply: unknown): PendingWork | undefined {
  const [now, version, end, firstDue, noticesDue, ...texts] = reply as [...Five<number>, ...string[]];
  if (version === 0) return undefined;
  const [firstEntry = '', fold = '', folding = '', rule = '', ...firsts] = texts;
  const [firstNotice = '', firstAudit = '', firstEvent = ''] = firsts;
  const notices = { firstNotice, noticesDue, firstAudit, firstEvent };
  return { now, end, firstDue, firstEntry, fold, folding, rule, ...notices };
}
