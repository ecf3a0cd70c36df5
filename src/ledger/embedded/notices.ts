/** A step of the delivery of notices: lua/notices.lua has the same rule. */
import type { NoticeStep } from '../port.js';
import type { OrgState } from './org-state.js';

/** `now`: the clock's reading. Returns false if the org is not as the step expects it. */
export function stepNotices(orgState: OrgState, step: NoticeStep, now: number): boolean {
  const { outbox, expects, changes, events } = step;
  const fields = orgState.table('notices');
  if (outbox !== undefined && orgState.logs.outbox[0]?.id !== outbox.first) return false;
  for (const [field, value] of expects) if ((fields.text(field) ?? null) !== value) return false;
  for (const [field, value] of changes) {
    if (value === null) fields.delete(field);
    else fields.set(field, value);
  }
  const time = Math.max(now, orgState.org.number('now'));
  for (const text of events) orgState.append('events', text, time);
  if (outbox !== undefined) orgState.trim('outbox', outbox.last);
  return true;
}
