/**
 * Queues notices: for each consumption threshold that is crossed, and for the first hard refusal of a limit. Each is
 * queued once per line and cap, in the call that caused it.
 */
import type { Violation } from '../port.js';
import { thresholdsIn } from './codec-cache.js';
import { capOfLine, type LimitCounter, lineIn, type Work } from './limit-counters.js';

const WHOLE = 100;

/** Runs after all operations: finds the thresholds of the present cycle's capped lines that this call crossed. */
export function noteCrossings(work: Work): void {
  const thresholds = thresholdsIn(work.orgState.org.text('thresholds') ?? '');
  for (const line of work.changed) {
    if (!line.cycle.present || line.consumed <= line.consumedBefore) continue;
    const cap = capOfLine(work, line);
    if (cap.mode === 'none' || cap.limit <= 0) continue;
    for (const threshold of thresholds[line.scope]) {
      const mark = cap.limit * (threshold / WHOLE);
      if (line.consumedBefore < mark && line.consumed >= mark)
        noteThreshold(work, line, threshold, cap.limit);
    }
  }
}

/** The first hard refusal of a line has a notice of its own. */
export function noteRefusal(work: Work, violated: Violation, user: string, action: string): void {
  const { quota, scope, group, limit, requested } = violated;
  const line = lineIn(work, work.present, quota, scope, scope === 'user' ? user : group);
  const marker = `!refused:${line.field}`;
  const { consumed } = line.cycle;
  const markedLimit = consumed.text(marker);
  if (markedLimit !== undefined && Number(markedLimit) >= limit) return;
  consumed.set(marker, String(limit));
  queue(work, line, { what: 'refused', user, action, limit, more: [requested] });
}

/** Both markers contain the cap: a raised cap arms the notice again, a refund does not. */
function noteThreshold(work: Work, line: LimitCounter, threshold: number, limit: number): void {
  const marker = `!mark:${line.field}`;
  const { consumed } = line.cycle;
  const [highest = 0, markedLimit = 0] = (consumed.text(marker) ?? '0:0').split(':').map(Number);
  if (highest >= threshold && markedLimit >= limit) return;
  consumed.set(marker, `${threshold}:${limit}`);
  queue(work, line, { what: threshold, user: line.user, action: line.action, limit, more: [] });
}

interface Notice {
  readonly what: number | 'refused';
  readonly user: string;
  readonly action: string;
  readonly limit: number;
  readonly more: readonly number[];
}

function queue(work: Work, line: LimitCounter, { what, user, action, limit, more }: Notice): void {
  const about = [what, line.scope, line.subject, line.quota, action, user];
  const figures = [limit, line.consumed, line.cycle.start, work.now, ...more];
  work.orgState.append('outbox', [...about, ...figures].join('|'), work.now);
}
