// No mistake hides another: any two mistakes in different places are both reported, with the same messages as alone.
import t from 'tap';
import { stringify } from 'yaml';
import { mistakesOf } from './support.js';

t.setTimeout(300_000);

type Data = Record<string, unknown>;
type Path = readonly (string | number)[];

const charge = (quota: string, units: unknown) => ({ quota, units });

/** Without a mistake, and with every kind of thing in it. */
const SOUND = {
  server: { gateway: '127.0.0.1:8080', admin: '127.0.0.1:9080', ops: '127.0.0.1:9091', drainMs: 5 },
  store: {
    redis: 'redis://h',
    passwordFile: '/p',
    deadlineMs: 5,
    whenDown: { open: { units: 5, seconds: 5 } },
  },
  identity: {
    trusted: { peers: ['10.0.0.0/8'], org: 'x-a', user: 'x-b', groups: 'x-c' },
    apiKeys: { headers: ['x-key'] },
    jwt: { jwksUrl: 'https://h/k', issuer: 'i', audience: 'a', algorithms: ['RS256'], claims: { org: 'o' } },
    unknownUsers: 'deny',
  },
  quotas: { usage: { unit: 'u', decimals: 1 }, lds: { unit: 'calls', counts: ['200-299'] }, ai: {} },
  upstreams: { maps: { url: 'http://maps', timeouts: { connectMs: 5 }, setHeaders: { 'x-a': 'b' } } },
  models: [{ match: 'small-*', multiplier: 0.5 }],
  routes: [
    { match: 'GET /a/*', action: 'a', upstream: 'maps', stripPrefix: '/a', charges: [charge('usage', 0.1)] },
    { match: 'POST /b', action: 'b', upstream: 'maps', charges: [charge('lds', { jsonLength: '/x' })] },
    {
      match: 'POST /c',
      action: 'c',
      upstream: 'maps',
      charges: [
        { quota: 'ai', llm: { api: 'openai-chat', hold: 'step' } },
        { quota: 'lds', gate: true },
      ],
    },
    {
      match: 'POST /d',
      action: 'd',
      upstream: 'maps',
      charges: [{ quota: 'lds', units: { responseJson: '/n' }, hold: 5, floor: 1 }],
    },
  ],
  orgs: {
    acme: {
      name: 'Acme',
      seats: 2,
      cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' },
      plans: { usage: { allowance: 50, mode: 'hard', extra: 1 }, lds: { allowance: 100 } },
      groups: { dev: { name: 'Dev' } },
      users: { ana: { email: 'ana@example.com', groups: ['dev'] }, eva: { role: 'admin' } },
      limits: [
        { user: 'ana', quota: 'usage', percent: 20 },
        { group: 'dev', quota: 'lds', units: 5 },
      ],
      thresholds: [50, 100],
    },
  },
  log: { level: 'info' },
  quotaPath: '/quota/me',
};

interface Mistaken {
  readonly name: string;
  /** What is written where. */
  readonly writes: readonly { readonly at: Path; readonly value: unknown }[];
  /** What the mistake is found by: where any of it is broken, or another, nobody can find it. */
  readonly by: readonly Path[];
}

function* leaves(value: unknown, path: Path): Generator<Path> {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* leaves(item, [...path, index]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  else yield path;
}

const wrong = (at: Path, value: unknown, ...by: Path[]): Mistaken => ({
  name: `${at.join('.')} = ${JSON.stringify(value)}`,
  writes: [{ at, value }],
  by: [at, ...by],
});

const ACME = ['orgs', 'acme'] as const;
const ROUTE = ['routes'] as const;

const BROKEN = [...leaves(SOUND, [])].map((at) => wrong(at, [['broken']]));

/** Values that are broken, unknown keys, and mistakes that only show beside other values. */
const MISTAKES: readonly Mistaken[] = [
  ...BROKEN,
  ...['server', 'store', 'identity', 'log'].map((at) => wrong([at, 'nonsense'], 1)),
  wrong([...ACME, 'users', 'ana', 'nonsense'], 1),
  wrong(['server', 'ops'], '0.0.0.0:8080', ['server', 'gateway']),
  wrong(['store', 'redis'], 'redis://:secret@h', ['store', 'passwordFile']),
  wrong(['identity', 'trusted', 'user'], 'x-key', ['identity', 'apiKeys']),
  wrong(['identity', 'jwt', 'algorithms', 0], 'HS256', ['identity', 'jwt', 'jwksUrl']),
  wrong([...ROUTE, 0, 'upstream'], 'mapps'),
  wrong([...ROUTE, 0, 'stripPrefix'], '/b', [...ROUTE, 0, 'match']),
  wrong([...ROUTE, 0, 'charges', 0, 'units'], 0.123, ['quotas', 'usage'], [...ROUTE, 0, 'charges']),
  wrong([...ROUTE, 1, 'match'], 'GET /a/b', [...ROUTE, 0, 'match']),
  wrong([...ROUTE, 1, 'charges', 0, 'quota'], 'ldss'),
  wrong([...ROUTE, 3, 'charges', 0, 'hold'], 0.5, ['quotas', 'lds'], [...ROUTE, 3, 'charges']),
  wrong([...ACME, 'cycle', 'anchor'], 32, [...ACME, 'cycle', 'every']),
  wrong([...ACME, 'cycle', 'timeZone'], 'Mars/Base'),
  wrong([...ACME, 'cycle', 'timeZone'], 'PST'),
  wrong([...ACME, 'seats'], 1, [...ACME, 'users']),
  wrong([...ACME, 'plans', 'usage', 'extra'], 0.55, ['quotas', 'usage']),
  wrong([...ACME, 'plans', 'ldss'], { allowance: 1 }),
  wrong([...ACME, 'users', 'ana', 'groups', 0], 'deb'),
  wrong([...ACME, 'limits', 0, 'user'], 'anna'),
  wrong(
    [...ACME, 'limits', 0, 'percent'],
    0.001,
    [...ACME, 'plans'],
    ['quotas', 'usage'],
    [...ACME, 'limits'],
  ),
  wrong([...ACME, 'limits', 1, 'group'], 'deb'),
  {
    name: 'a percent of nothing',
    writes: [
      { at: [...ACME, 'plans', 'usage', 'allowance'], value: 0 },
      { at: [...ACME, 'plans', 'usage', 'extra'], value: 0 },
    ],
    by: [
      [...ACME, 'plans'],
      ['quotas', 'usage'],
      [...ACME, 'limits', 0],
    ],
  },
  {
    name: 'an anchor that is no date',
    writes: [{ at: [...ACME, 'cycle'], value: { every: 'year', anchor: 230, timeZone: 'UTC' } }],
    by: [[...ACME, 'cycle']],
  },
];

function withWrites(writes: Mistaken['writes']): string {
  const data = structuredClone(SOUND) as Data;
  for (const { at, value } of writes) {
    const parent = at.slice(0, -1).reduce<unknown>((below, key) => (below as Data)[key], data) as Data;
    parent[String(at.at(-1))] = value;
  }
  return stringify(data);
}

const pathsOf = (writes: Mistaken['writes']): string[] =>
  mistakesOf(withWrites(writes)).map(({ path }) => path);

const nested = (a: Path, b: Path): boolean => a.every((key, depth) => depth >= b.length || b[depth] === key);

function independent(a: Mistaken, b: Mistaken): boolean {
  const touches = (one: Mistaken, other: Mistaken): boolean =>
    one.writes.some(({ at }) => other.by.some((by) => nested(at, by)));
  return !touches(a, b) && !touches(b, a);
}

t.test('the config is sound, and each mistake is one', async (t) => {
  t.strictSame(pathsOf([]), []);
  for (const { name, writes } of MISTAKES) t.not(pathsOf(writes).length, 0, name);
});

t.test('any two', async (t) => {
  const alone = MISTAKES.map(({ writes }) => pathsOf(writes));
  const hidden: string[] = [];
  let pairs = 0;
  for (const [i, first] of MISTAKES.entries()) {
    for (const [j, second] of MISTAKES.entries()) {
      if (j <= i || !independent(first, second)) continue;
      // Of plain broken values, a sample of the pairs.
      if (i < BROKEN.length && (i + 3 * j) % 16 !== 0) continue;
      pairs += 1;
      const both = pathsOf([...first.writes, ...second.writes]);
      const lost = [...(alone[i] ?? []), ...(alone[j] ?? [])].filter((path) => !both.includes(path));
      if (lost.length > 0) hidden.push(`${first.name} + ${second.name}: ${lost.join(', ')}`);
    }
  }
  t.ok(pairs > 400, `${pairs} pairs`);
  t.strictSame(hidden, []);
});

t.test('a mistake below a key with a slip in it, with its own place', async (t) => {
  const text =
    'lgo: { level: loud }\nquotas: { usage: { decimal: 9, uint: 5 } }\norgs: { a: { cycel: { anchor: 32 } } }\n';
  t.strictSame(
    mistakesOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`),
    [
      '1:1 /lgo',
      '1:15 /lgo/level',
      '2:20 /quotas/usage/decimal',
      '2:29 /quotas/usage/decimal',
      '2:32 /quotas/usage/uint',
      '2:38 /quotas/usage/uint',
      '3:14 /orgs/a/cycel',
      '3:31 /orgs/a/cycel/anchor',
    ],
  );
});

t.test('an alias without an anchor, a tag, a second document: the rest is read', async (t) => {
  const text = 'quotas: { lds: *lds }\nlog: { level: loud }\nquotaPath: !x /q\n---\nlog: {}\n';
  t.strictSame(
    mistakesOf(text).map(({ line, path }) => `${line} ${path}`),
    ['1 /quotas/lds', '2 /log/level', '3 ', '4 '],
  );
});
