/** Runs shell blocks of the pages, with programs of the test in front of those on PATH. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './pages.js';

const TIMEOUT_MS = 60_000;

/** Skip option for tap: with CI=true a missing part is a failure. */
export const skipWithoutCurl: string | false =
  process.env.CI !== 'true' &&
  spawnSync('curl', ['--version']).error !== undefined &&
  'curl is not installed';

export interface Ended {
  readonly code: number;
  readonly output: string;
  /** Of the answers that `curl` got. */
  readonly statuses: readonly number[];
}

/** A program by this name in the folder, as a bash script. */
export function writeProgram(folder: string, name: string, script: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/bash\n${script}\n`);
  chmodSync(file, 0o755);
}

/** `quotagate`, and a `curl` that reports the status of each answer, beside what the caller asked for. */
export function writePrograms(folder: string): void {
  writeProgram(folder, 'quotagate', `exec '${process.execPath}' '${join(ROOT, 'dist/src/main.js')}' "$@"`);
  const others = (process.env.PATH ?? '').replaceAll("'", "'\\''");
  writeProgram(
    folder,
    'curl',
    `PATH='${others}' exec curl --silent -w '%{stderr}status %{http_code}\\n' "$@"`,
  );
}

/** Runs a script in the folder until its first failure. */
export function run(
  script: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { ...process.env, ...environment, PATH: `${folder}:${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile('bash', ['-euc', script], { cwd: folder, env, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const statuses = [...stderr.matchAll(/^status (\d+)$/gm)].map(([, status]) => Number(status));
      const code = error === null ? 0 : Number(error.code ?? -1);
      resolve({ code, output: stdout + stderr, statuses });
    });
  });
}
