// Every error code and every log event of the code has its row in the pages, and every row its code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { LLM_APIS } from '../../src/quota/tokens.js';
import { ROOT, tablesUnder } from './pages.js';

const PAGE = 'docs/troubleshooting.md';

/** What stands in backquotes. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

t.test('every error code is in the page once', async (t) => {
  const cells = tablesUnder(PAGE, '## Error codes').map(([, codes = '']) => codes);
  const named = cells.flatMap(quoted).filter((code) => !/[A-Z]/.test(code));
  t.same(named.sort(), Object.keys(CATALOGUE).sort());
});

const CALLS = [
  // logger.warn({ … }, 'event: a sentence')
  /\b(?:logger|log)\s*(?:\.child\([^;]*?\)\s*)?(?:\.(?:trace|debug|info|warn|error|fatal)|\[level\])\(([^;]*?)\);/gs,
  // alarms, by name
  /\b(?:onTrouble|tell|tellAtTimes|report|reportAtTimes)(?:\?\.|\([^;]*?\))?\(\s*(['`][a-z$][^,;]*?),/gs,
  // alarms by what came of an operation
  /: ('[a-z]+-[a-z-]+'),$/gm,
];

/** Only there an alarm is named outside of the call that raises it. */
const ALARM_TABLES = /alarms\.ts$/;

/** The first text among the arguments: names of events are not computed, but for a word in them. */
function eventOf(args: string): string | undefined {
  const [, , text] = /(['`])((?:(?!\1).)+)\1/s.exec(args.replace(/\{.*?\}(?=,)/gs, '')) ?? [];
  return text?.split(/[:,]/)[0]?.trim();
}

function sources(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
}

function eventsOfCode(): Set<string> {
  const events = new Set<string>();
  for (const file of sources()) {
    const text = readFileSync(join(ROOT, 'src', file), 'utf8');
    const patterns = ALARM_TABLES.test(file) ? CALLS : CALLS.slice(0, 2);
    for (const [, args = ''] of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
      const event = eventOf(args);
      if (event !== undefined) events.add(event);
    }
  }
  return events;
}

/** Words that the code puts into the name of an event. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  '${kind}-in-doubt': ['refund-in-doubt', 'charge-in-doubt'],
  'store-loss-${how}': ['store-loss-found', 'store-loss-accepted'],
};

t.test('every log event is in the page once', async (t) => {
  const rows = tablesUnder(PAGE, '## Log events').filter(([event]) => event !== 'event');
  const named = rows.map(([event = '']) => quoted(event)[0] ?? event);
  const known = [...eventsOfCode()].flatMap((event) => COMPUTED[event] ?? [event]);
  t.ok(known.length > 30);
  t.same(named.sort(), known.sort());
});

t.test('every API of AI tokens is in the page once', async (t) => {
  const [, ...rows] = tablesUnder('docs/ai-tokens.md', '## APIs');
  t.same(rows.map(([api = '']) => quoted(api)[0]).sort(), [...LLM_APIS].sort());
});

t.test('every test that the security page names exists', async (t) => {
  const rows = tablesUnder('docs/security.md', '# Security');
  const names = new Set(rows.flatMap(([, , , tests = '']) => quoted(tests)));
  t.ok(names.size > 20);
  for (const name of names)
    t.ok(existsSync(join(ROOT, 'test', `${name}.test.ts`)) || existsSync(join(ROOT, 'test', name)), name);
});
