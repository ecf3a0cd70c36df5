/** The cycle of a book: which one is present, and how the next one begins. */
import type { Bounds, Call } from '../port.js';
import type { Book } from './book.js';
import { extraTaken } from './lines.js';

export function presentCycle(book: Book): Bounds {
  return { start: book.org.number('start'), end: book.org.number('end') };
}

/**
 * Whether the call's first cycle is the book's present one. If the book's is over and the call's is its successor,
 * computed by the present rule and with the closed cycle at hand, the book rolls first.
 */
export function enterCycle(book: Book, call: Call, now: number): boolean {
  const present = presentCycle(book);
  const asked = call.cycles[0];
  if (asked === undefined) return false;
  if (now < present.end) return asked.start === present.start;
  const successor =
    asked.start >= present.end &&
    asked.start <= now &&
    now < asked.end &&
    call.ruleVersion === book.org.number('ruleVersion') &&
    call.cycles.some((cycle) => cycle.start === present.start);
  if (successor) roll(book, present, asked);
  return successor;
}

/** Closes the present cycle: what it used of the extra is taken off, what its holds may still take is carried. */
function roll(book: Book, present: Bounds, next: Bounds): void {
  const { org } = book;
  const consumed = book.table(`consumed:${present.start}`);
  const held = book.table(`held:${present.start}`);
  for (const [field, value] of [...org.map]) {
    if (!field.startsWith('plan:')) continue;
    const quota = field.slice('plan:'.length);
    const line = `${quota}:o`;
    const allowance = Number(String(value).split(':')[0]);
    const extra = Math.max(0, org.number(`extra:${quota}`));
    const taken = extraTaken(allowance, extra, consumed.number(line), held.number(line));
    if (taken.used > 0) org.set(`extra:${quota}`, extra - taken.used);
    if (taken.carried > 0) org.set(`carry:${quota}`, org.number(`carry:${quota}`) + taken.carried);
    consumed.set(`!closed:${quota}`, `${allowance}:${extra}`);
  }
  book.table('cycles').set(String(present.start), present.end);
  org.set('prev', present.start);
  org.set('start', next.start);
  org.set('end', next.end);
  // What was read before the roll must not be written after it.
  org.set('version', org.number('version') + 1);
}
