/** Notices: queued once per line, threshold and cap, in the call that crossed it. */
import type { Violation } from '../port.js';
import type { Book } from './book.js';
import { capOfLine, type Line, lineIn, type Work } from './lines.js';

const WHOLE = 100;

/** After all operations: which lines of the present cycle passed a threshold of their cap in this call. */
export function noteCrossings(work: Work): void {
  const thresholds = thresholdsOf(work.book);
  for (const line of work.changed) {
    if (!line.cycle.present || line.consumed <= line.consumedBefore) continue;
    const cap = capOfLine(work, line);
    if (cap.mode === 'none' || cap.limit <= 0) continue;
    let passed = 0;
    for (const threshold of thresholds) {
      const mark = cap.limit * (threshold / WHOLE);
      if (line.consumedBefore < mark && line.consumed >= mark) passed = Math.max(passed, threshold);
    }
    if (passed > 0) queue(work, line, passed, cap.limit);
  }
}

/** The first hard refusal of a line tells what reaching the limit would have told. */
export function noteRefusal(work: Work, violated: Violation, user: string, action: string): void {
  const token = violated.scope === 'user' ? user : violated.group;
  const line = lineIn(work, work.present, violated.quota, violated.scope, token);
  line.user = user;
  line.action = action;
  queue(work, line, WHOLE, violated.limit);
}

function thresholdsOf(book: Book): number[] {
  const text = book.org.text('thresholds') ?? '';
  return text === '' ? [] : text.split(',').map(Number);
}

/** The marker names threshold and cap: a cap that was raised since arms the notice again, a refund does not. */
function queue(work: Work, line: Line, threshold: number, limit: number): void {
  const marker = `!mark:${line.field}`;
  const { consumed } = line.cycle;
  const [told = 0, toldLimit = 0] = (consumed.text(marker) ?? '0:0').split(':').map(Number);
  if (told >= threshold && toldLimit >= limit) return;
  consumed.set(marker, `${threshold}:${limit}`);
  const what = [threshold, line.scope, line.token, line.quota, line.action, line.user];
  const figures = [limit, line.consumed, line.cycle.start, work.now];
  work.book.append('outbox', [...what, ...figures].join('|'), work.now);
}
