// A call names the present cycle first, and each closed one once.
import t from 'tap';
import { cyclesNow, withClosed } from '../../src/ledger/call-cycles.js';
import type { Reply } from '../../src/ledger/port.js';

const DAY = 86_400_000;
const FIRST = { start: DAY, end: 2 * DAY };
const RULE = JSON.stringify({ every: 'day', anchor: 0, timeZone: 'UTC' });
const closed = (start: number) => ({ start, end: start });
const reply = (now: number, previous: number) => ({ cycle: FIRST, rule: RULE, now, previous }) as Reply;

t.test('closed cycles', async (t) => {
  t.strictSame(withClosed([FIRST], 5), [FIRST, closed(5)]);
  t.strictSame(withClosed([FIRST], 0), [FIRST], 'there is none');
  t.strictSame(withClosed([FIRST], FIRST.start), [FIRST], 'it is the present one');
  t.strictSame(withClosed(withClosed([FIRST], 5), 5), [FIRST, closed(5)], 'each once');
  t.strictSame(withClosed([], 5), [], 'a closed cycle is never the first');
});

t.test('by the answer of an org', async (t) => {
  t.strictSame(cyclesNow(reply(FIRST.start, 0)), [FIRST]);
  t.strictSame(cyclesNow(reply(FIRST.end - 1, 5)), [FIRST, closed(5)]);
  const next = { start: FIRST.end, end: 3 * DAY };
  t.strictSame(cyclesNow(reply(FIRST.end, 5)), [next, closed(FIRST.start), closed(5)], 'it is over');
  t.throws(() => cyclesNow({ ...reply(FIRST.end, 0), rule: RULE.replace('UTC', 'Nowhere/X') }));
});
