/** schemathesis against a running admin API, with the OpenAPI document that it serves; installed at the first call. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './deploy-tools.js';

const installed = spawnSync(
  'bash',
  [join(REPOSITORY, 'test/support/deploy-tools.sh'), 'test/support/fuzz-tools.txt'],
  { encoding: 'utf8' },
);
const missing =
  installed.status === 0
    ? undefined
    : (installed.stderr?.trim().split('\n').at(-1) ?? 'bash is not installed');

/** With CI=true a missing part is a failure, so there is nothing to skip. */
export const skipWithoutFuzzTools: string | false = process.env.CI === 'true' ? false : (missing ?? false);

/** No response of 5xx, no status, type or body that the document does not have. */
const CHECKS =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';

export interface Fuzzing {
  readonly url: string;
  readonly token: string;
  /** Of schemathesis, with a comma between two. */
  readonly phases: string;
  /** Of each operation, in the fuzzing phase. */
  readonly examples: number;
}

export interface Fuzzed {
  readonly failed: boolean;
  readonly cases: number;
  readonly output: string;
}

/** Runs beside this process, which answers the requests. */
export async function fuzz({ url, token, phases, examples }: Fuzzing): Promise<Fuzzed> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-fuzz-'));
  const words = ['-m', 'schemathesis.cli', 'run', `${url}/v1/openapi.json`, '--no-color', '--seed', '1'];
  const header = ['--header', `Authorization: Bearer ${token}`];
  const amount = ['--phases', phases, '--max-examples', String(examples)];
  const child = spawn('python3', [...words, ...header, '--checks', CHECKS, ...amount], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: installed.stdout.trim() },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise((resolve) => child.once('close', resolve));
  rmSync(folder, { recursive: true, force: true });
  const [, cases = '0'] = /([\d,]+) generated/.exec(output) ?? [];
  return { failed: code !== 0, cases: Number(cases.replaceAll(',', '')), output };
}
