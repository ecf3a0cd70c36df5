/**
 * `npm run mutants`: breaks the ledgers and the AI token meter in many small ways, one at a time and in copies of the package, and
 * expects a named test to fail. Exits 1 where a break goes unnoticed, or where its text is missing or not unique in the source.
 * `npm run mutants -- redis` breaks one kind only; `-- redis --store cluster` runs its tests on a Cluster (or `sentinel`).
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Mutant, TEST_FOLDERS } from './mutant.js';
import { MUTANTS } from './table.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const WORKERS = 2;
const RUN_TIMEOUT_MS = 30_000;
const { values, positionals } = parseArgs({ options: { store: { type: 'string' } }, allowPositionals: true });
/** Optional: the only kind to break. */
const [KIND] = positionals;
/** Optional: the form of Redis. */
const STORE = values.store ?? '';
const CHOSEN = MUTANTS.filter(({ ledger }) => KIND === undefined || ledger === KIND);

interface Run {
  /** Tests that passed and failed, by ledger. */
  readonly held: Readonly<Record<Mutant['ledger'], number>>;
  readonly failed: Readonly<Record<Mutant['ledger'], number>>;
  readonly stopped: boolean;
}

type Outcome = 'killed' | 'SURVIVED' | 'NOT FOUND' | 'NOT UNIQUE' | 'BROKEN';

/** Copies what the tests need, so that a break never leaves the copy. */
function copyPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-mutants-'));
  for (const part of [
    'dist/src',
    'dist/test/support',
    'dist/test/ledger',
    'dist/test/meter',
    'lua',
    'package.json',
  ])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function runTest(folder: string, name: string, ledger: Mutant['ledger']): Promise<Run> {
  const tests = TEST_FOLDERS[ledger];
  const file = join(folder, 'dist/test', tests, `${name}.test.js`);
  // A process group of its own: a hanging test is stopped together with its redis-server.
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    // What the common path decides would hide a break of the full path.
    env: {
      ...process.env,
      QUOTAGATE_TEST_FULL_PATH: ledger === 'redis' ? '1' : '0',
      QUOTAGATE_TEST_STORE: STORE,
    },
  });
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, RUN_TIMEOUT_MS);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  clearTimeout(timer);
  const count = (word: string, what: string): number =>
    output.match(new RegExp(`^${word} \\d+ - .*${what}`, 'gm'))?.length ?? 0;
  const each = (word: string) => ({
    redis: count(word, '\\(redis\\)'),
    common: count(word, '\\(redis\\)'),
    embedded: count(word, '\\(embedded\\)'),
    meter: count(word, ''),
  });
  return { held: each('ok'), failed: each('not ok'), stopped: child.signalCode !== null };
}

async function tryMutant(folder: string, mutant: Mutant): Promise<Outcome> {
  const file = join(folder, mutant.file);
  const source = readFileSync(file, 'utf8');
  const places = source.split(mutant.search).length - 1;
  if (places !== 1) return places === 0 ? 'NOT FOUND' : 'NOT UNIQUE';
  // As a function: the replacement may contain `$`.
  writeFileSync(
    file,
    source.replace(mutant.search, () => mutant.replace),
  );
  try {
    const { held, failed, stopped } = await runTest(folder, mutant.killedBy, mutant.ledger);
    if (stopped) return 'killed';
    if (failed[mutant.ledger] === 0) return 'SURVIVED';
    // Where no test passes at all, the patch itself may be wrong, and the result says nothing about the rule.
    return held[mutant.ledger] === 0 ? 'BROKEN' : 'killed';
  } finally {
    writeFileSync(file, source);
  }
}

/** Tests that fail on the unbroken package. */
async function failingUnbroken(folder: string): Promise<string[]> {
  const failing: string[] = [];
  const tests = new Map(
    CHOSEN.map(({ killedBy, ledger }) => [`${ledger} ${killedBy}`, { killedBy, ledger }]),
  );
  for (const [test, { killedBy, ledger }] of tests) {
    const { held, failed } = await runTest(folder, killedBy, ledger);
    if (failed[ledger] > 0 || held[ledger] === 0) failing.push(test);
  }
  return failing;
}

async function main(): Promise<number> {
  const folders = Array.from({ length: WORKERS }, copyPackage);
  try {
    const failing = await failingUnbroken(folders[0] ?? '');
    if (failing.length > 0) {
      console.error(`These tests fail on the unbroken package: ${failing.join(', ')}`);
      return 1;
    }
    const outcomes = new Map<Mutant, Outcome>();
    const left = [...CHOSEN];
    const work = async (folder: string): Promise<void> => {
      for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift())
        outcomes.set(mutant, await tryMutant(folder, mutant));
    };
    await Promise.all(folders.map(work));
    return report(outcomes);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

function report(outcomes: ReadonlyMap<Mutant, Outcome>): number {
  let bad = 0;
  for (const mutant of CHOSEN) {
    const outcome = outcomes.get(mutant) ?? 'BROKEN';
    if (outcome !== 'killed') bad += 1;
    const columns = [
      outcome.padEnd(10),
      mutant.ledger.padEnd(8),
      mutant.rule.padEnd(11),
      mutant.killedBy.padEnd(15),
    ];
    console.log(`${columns.join(' ')} ${mutant.name}`);
  }
  console.log(`${CHOSEN.length - bad} of ${CHOSEN.length} killed`);
  return bad === 0 ? 0 : 1;
}

process.exitCode = await main();
