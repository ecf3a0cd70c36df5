// Every error code and every log event of the code has its row in the pages, and every row its code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { Metrics } from '../../src/observe/metrics.js';
import { LLM_APIS } from '../../src/quota/tokens.js';
import { GUIDES, ROOT, tablesUnder, textOf } from './pages.js';

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

/** `logger.warn({ event: 'store_empty', … }, 'A sentence.')`, and what its fields begin with. */
const LOG_CALL =
  /\b(?:logger|log)\s*(?:\.child\([^;]*?\)\s*)?(?:\.(?:trace|debug|info|warn|error|fatal)|\[level\])\(\s*(.{0,12})/g;
const EVENT = /\bevent: '([^']*)'/g;
/** Alarms that an org raises, by name: `src/app` logs each with the event of that name. */
const ALARM =
  /\b(?:onTrouble|tell|tellAtTimes|report|reportAtTimes)(?:\?\.|\([^;]*?\))?\(\s*['`]([a-z][^,;'`]*)['`],/gs;
const ALARM_BY_RESULT = /: '([a-z]+-[a-z-]+)',$/gm;

/** Words that the code puts into the name of an alarm. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  '${kind}-in-doubt': ['refund-in-doubt', 'charge-in-doubt'],
  'store-loss-${how}': ['store-loss-found', 'store-loss-accepted'],
};

const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(ROOT, 'src', name), 'utf8') }));

function found(pattern: RegExp, only: RegExp = /./): string[] {
  const texts = SOURCES.filter(({ name }) => only.test(name));
  return texts.flatMap(({ text }) => [...text.matchAll(pattern)].map(([, name = '']) => name));
}

t.test('every log event is in the page once', async (t) => {
  const rows = tablesUnder(PAGE, '## Log events').filter(([event]) => event !== 'event');
  const named = rows.map(([event = '']) => quoted(event)[0] ?? event);
  const alarms = [...found(ALARM), ...found(ALARM_BY_RESULT, /alarms\.ts$/)].flatMap(
    (name) => COMPUTED[name] ?? [name],
  );
  const known = new Set([...found(EVENT), ...alarms.map((name) => name.replaceAll('-', '_'))]);
  t.ok(known.size > 30);
  for (const event of known) t.match(event, /^[a-z]+(_[a-z]+)*$/);
  t.same(named.sort(), [...known].sort());
});

t.test('every log line names its event', async (t) => {
  const calls = found(LOG_CALL);
  t.ok(calls.length > 20);
  t.same(
    calls.filter((args) => !/\bevent\b/.test(args)),
    [],
  );
});

t.test('every API of AI tokens is in the page once', async (t) => {
  const [, ...rows] = tablesUnder('docs/ai-tokens.md', '## APIs');
  t.same(rows.map(([api = '']) => quoted(api)[0]).sort(), [...LLM_APIS].sort());
});

t.test('every metric and every setting that the guides name exists', async (t) => {
  const { rows } = new Metrics({ quotas: {}, state: () => undefined });
  const metrics = new Set(rows.map(({ name }) => name));
  const settings = tablesUnder('docs/reference/settings.md', '# Settings').map(([name = '']) =>
    name.replaceAll('`', ''),
  );
  // `upstreams.maps.url` and `upstreams.*.url` are settings, and `server.tls` is a section.
  const patterns = settings.map((name) =>
    name.split('.').map((key) => (key.startsWith('<') ? undefined : key)),
  );
  const isSetting = (name: string) => {
    const keys = name.split('.');
    return patterns.some((pattern) =>
      keys.every((key, at) => at < pattern.length && (pattern[at] ?? key) === key),
    );
  };
  const sections = new Set(settings.map((setting) => setting.split(/[.[]/)[0]));
  for (const page of GUIDES.filter((one) => !one.startsWith('docs/reference/'))) {
    const text = textOf(page);
    for (const [name] of text.matchAll(/\bquotagate_[a-z_]+/g))
      t.ok(metrics.has(name.replace(/_(bucket|count|sum)$/, '')), `${page}: ${name}`);
    for (const [, name = '', section = ''] of text.matchAll(/`((\w+)(?:\[\])?\.[\w.*<>[\]]+)`/g))
      if (sections.has(section)) t.ok(isSetting(name), `${page}: ${name}`);
  }
});

t.test('every test that the security page names exists', async (t) => {
  const rows = tablesUnder('docs/security.md', '# Security');
  const names = new Set(rows.flatMap(([, , , tests = '']) => quoted(tests)));
  t.ok(names.size > 20);
  for (const name of names)
    t.ok(existsSync(join(ROOT, 'test', `${name}.test.ts`)) || existsSync(join(ROOT, 'test', name)), name);
});
