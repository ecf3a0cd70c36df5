/**
 * Runs test files side by side, each as a process of its own, and prints how each ended. `--output` names the file for their results as
 * one TAP document, with a subtest for each file.
 *
 * `tap run` does the same with hooks in every process of Node, also in the gateways that tests start: they load and end in twice the time.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const FOLDER = 'dist/test';
const TIMEOUT_S = 600;
/** tap reports its own time-out; a process that does not even do that is killed. */
const GRACE_S = 10;

const { values, positionals } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2' },
    output: { type: 'string', default: `${FOLDER}.tap` },
  },
  allowPositionals: true,
});

interface Outcome {
  readonly tap: string;
  /** Exit code, signal, or why it could not be started; undefined where it is well. */
  readonly failure: string | undefined;
  readonly ms: number;
}

/** Of one file. */
const FAILURES_SHOWN = 20;
const COUNTS = ['total', 'pass', 'fail', 'skip'] as const;
const counts = { total: 0, pass: 0, fail: 0, skip: 0 };

function allFiles(): string[] {
  const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.js')).map((name) => `${FOLDER}/${name}`);
}

function run(file: string): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT_S) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killing = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT_S + GRACE_S) * 1_000);
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  return new Promise((resolve) => {
    const end = (failure: string | undefined): void => {
      clearTimeout(killing);
      resolve({ tap: Buffer.concat(pieces).toString(), failure, ms: performance.now() - began });
    };
    child.once('error', ({ message }) => end(message));
    child.once('close', (code, signal) => end(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
}

/** Adds what the file counts itself, in its last line but one. A file that fails without a count is one failure. */
function count({ tap, failure }: Outcome): void {
  const [summary = ''] = /^# \{ total: .*\}$/m.exec(tap) ?? [];
  const own = (name: string): number => Number(new RegExp(` ${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
  for (const name of COUNTS) counts[name] += own(name);
  if (failure === undefined || own('fail') > 0) return;
  counts.total += 1;
  counts.fail += 1;
}

function asSubtest(number: number, file: string, { tap, failure, ms }: Outcome): string {
  const inside = tap.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
  const title = `${number} - ${file} # time=${ms.toFixed(0)}ms`;
  const line = failure === undefined ? `ok ${title}` : `not ok ${title}\n  ---\n  failure: ${failure}\n  ...`;
  return `# Subtest: ${file}\n${inside}\n${line}\n`;
}

function shown(file: string, { tap, failure, ms }: Outcome): string {
  const line = `${file} ${(ms / 1_000).toFixed(1)} s\n`;
  if (failure === undefined) return `ok ${line}`;
  const failed = tap.match(/^ *not ok .*(\n *---\n(?:.*\n)*? *\.\.\.)?$/gm) ?? [];
  return `not ok ${line}${[failure, ...failed.slice(0, FAILURES_SHOWN)].join('\n')}\n`;
}

const files = positionals.length > 0 ? positionals : allFiles().sort();
const left = [...files];
let done = 0;

async function work(): Promise<void> {
  for (let file = left.shift(); file !== undefined; file = left.shift()) {
    const outcome = await run(file);
    done += 1;
    count(outcome);
    appendFileSync(values.output, asSubtest(done, file, outcome));
    process.stdout.write(shown(file, outcome));
    if (outcome.failure !== undefined) process.exitCode = 1;
  }
}

writeFileSync(values.output, 'TAP version 14\n');
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
const summary = COUNTS.map((name) => `${name}: ${counts[name]}`).join(', ');
appendFileSync(values.output, `1..${files.length}\n# { ${summary} }\n`);
process.stdout.write(`# { ${summary} }\n`);
