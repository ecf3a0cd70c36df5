// Every shell block of README and guides runs against a started demo, and every config in them is a valid one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { type Block, blocksOf, GUIDES, isValues, PAGES } from './pages.js';
import { run, skipWithoutCurl, writePrograms } from './shell.js';
import { startDemo } from './started-demo.js';

interface Exception {
  readonly page: string;
  /** What the block contains. */
  readonly has: string;
  readonly why: string;
}

/** first-hour.test.ts runs it. */
const FIRST_HOUR = 'docs/first-hour.md';

/** Shell blocks that are not run here. */
const EXCEPTIONS: readonly Exception[] = [
  {
    page: 'docs/admin-api-calls.md',
    has: '$HOLD',
    why: 'needs a request in flight and a failed message; test/admin runs it',
  },
  { page: 'README.md', has: 'npm run demo', why: 'installs, and runs until it is stopped' },
  { page: 'README.md', has: 'npm test', why: 'the tests themselves' },
  { page: 'docs/configuration.md', has: 'quotagate serve', why: 'runs until it is stopped, with secrets' },
  { page: 'docs/deployment.md', has: 'docker', why: 'needs Docker' },
  { page: 'docs/deployment.md', has: 'helm -n quota install', why: 'needs a cluster' },
  { page: 'docs/deployment.md', has: 'kubectl', why: 'needs a cluster' },
  {
    page: 'docs/deployment.md',
    has: '/run/secrets/admin',
    why: 'a secret of a deployment; docs/admin-api.md runs it',
  },
  { page: 'docs/store.md', has: 'accept-loss', why: 'decides about lost data in Redis; test/store runs it' },
  { page: 'docs/store.md', has: 'accept-clock', why: 'the demo has its store open; test/store runs it' },
];

/** Statuses of the answers that `curl` gets, where they are not all below 400. */
const STATUSES: Readonly<Record<string, readonly number[]>> = {
  'README.md': [200, 201, 429, 200],
};

const exceptionOf = (page: string, { text }: Block): Exception | undefined =>
  EXCEPTIONS.find((one) => one.page === page && text.includes(one.has));

const PAGES_TIMEOUT_MS = 300_000;

function configIn(page: string): string | undefined {
  return blocksOf(page, 'yaml').find(isWhole)?.text;
}

/** A config file, and not a part of one. */
function isWhole({ text }: Block): boolean {
  return ['identity', 'upstreams', 'routes', 'orgs'].every((key) => new RegExp(`^${key}:`, 'm').test(text));
}

t.setTimeout(PAGES_TIMEOUT_MS);

t.test('every shell block does what it says', { skip: skipWithoutCurl }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-docs-'));
  writePrograms(folder);
  const demo = await startDemo();
  t.teardown(async () => {
    await demo.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const page of GUIDES.filter((page) => page !== FIRST_HOUR)) {
    writeFileSync(join(folder, 'quotagate.yaml'), configIn(page) ?? configIn('README.md') ?? '');
    const statuses: number[] = [];
    let functions = '';
    for (const block of blocksOf(page, 'sh')) {
      if (exceptionOf(page, block) !== undefined) continue;
      const ended = await run(demo.atPorts(functions + block.text), folder, { TOKEN: demo.token });
      t.equal(ended.code, 0, `${page}:${block.line}`, { output: ended.output });
      statuses.push(...ended.statuses);
      if (/^\w+\(\) \{/m.test(block.text)) functions += block.text;
    }
    const expected = STATUSES[page];
    if (expected !== undefined) t.same(statuses, expected, `${page}: answers`);
    else
      t.same(
        statuses.filter((status) => status >= 400),
        [],
        `${page}: answers`,
      );
  }
});

t.test('every exception is a block that exists', async (t) => {
  for (const { page, has } of EXCEPTIONS) {
    t.ok(
      blocksOf(page, 'sh').some(({ text }) => text.includes(has)),
      `${page}: ${has}`,
    );
  }
});

/** What parts of a config in the guides may name. */
const REST = {
  identity: { trusted: { peers: ['10.0.0.0/8'] } },
  quotas: { usage: { decimals: 1 }, lds: {}, ai: {} },
  upstreams: { maps: { url: 'http://maps:3000' }, openai: { url: 'http://models:3000' } },
};

t.test('every config is valid, alone or with what a part of one leaves out', async (t) => {
  const wholes: string[] = [];
  for (const page of PAGES) {
    for (const block of blocksOf(page, 'yaml')) {
      // test/deploy renders them.
      if (isValues(block)) continue;
      const part = parse(block.text) as Record<string, Record<string, unknown>>;
      if (isWhole(block)) wholes.push(page);
      const upstreams = { ...REST.upstreams, ...part.upstreams };
      const text = isWhole(block) ? block.text : JSON.stringify({ ...REST, ...part, upstreams });
      t.doesNotThrow(() => loadConfig(text, {}), `${page}:${block.line}`);
    }
  }
  t.match(wholes, ['README.md', 'docs/configuration.md']);
});

t.test('a refusal is shown as it is', async (t) => {
  const [shown = { text: '{}' }] = blocksOf('docs/troubleshooting.md', 'json');
  const demo = await startDemo();
  t.teardown(() => demo.close());
  // The end of the cycle changes from month to month.
  const atAnyTime = (body: unknown) => JSON.stringify(body).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time');
  t.equal(atAnyTime(JSON.parse(shown.text)), atAnyTime(await demo.refusal()));
});
