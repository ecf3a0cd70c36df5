/** Helm's own engine, the Kubernetes schemas and hadolint; installed by `deploy-tools.sh` at the first call. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY: string = fileURLToPath(new URL('../../../', import.meta.url));

export const CHART: string = join(REPOSITORY, 'helm/quotagate');

/** From the oldest that the chart allows; and the newest that there are schemas for. */
const KUBERNETES: readonly string[] = ['1.29', '1.30', '1.31', '1.32', '1.33', '1.37'];

const installed = spawnSync('bash', [join(REPOSITORY, 'test/support/deploy-tools.sh')], { encoding: 'utf8' });
const missing =
  installed.status === 0
    ? undefined
    : (installed.stderr?.trim().split('\n').at(-1) ?? 'bash is not installed');

/** Skip option for tap: with CI=true a missing part is a failure, so there is nothing to skip. */
export const skipWithoutDeployTools: string | false = process.env.CI === 'true' ? false : (missing ?? false);

function run(command: string, args: readonly string[], input: string): string {
  if (missing !== undefined) throw new Error(missing);
  const folder = installed.stdout.trim();
  const env = { ...process.env, PYTHONPATH: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    input,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  if (status !== 0 && stdout === '') throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

export type Values = Readonly<Record<string, unknown>>;

export interface Rendered {
  /** The YAML of each template; some hold several documents, some none. */
  readonly manifests: readonly string[];
  readonly notes: string;
  /** What the schemas of Kubernetes and of the CRDs say against it, unknown fields included. */
  readonly violations: readonly string[];
  readonly lint: readonly string[];
}

export interface Refused {
  readonly refusal: string;
}

export interface RenderOptions {
  /** Folder of the chart. */
  readonly chart?: string;
  /** Versions whose schemas judge the objects; an empty list: neither they nor `helm lint` do, which is faster. */
  readonly kubernetes?: readonly string[];
  readonly release?: string;
}

/** One answer for each set of values, as `helm install gate … --namespace quota` would see it. */
export function renderChart(
  valueSets: readonly Values[],
  { chart = CHART, kubernetes = KUBERNETES, release = 'gate' }: RenderOptions = {},
): (Rendered | Refused)[] {
  const cases = valueSets.map((values) => ({ values, release, namespace: 'quota', kubernetes }));
  return judge({ chart, cases }) as (Rendered | Refused)[];
}

/** What the schemas of Kubernetes say against manifests that no chart made. */
export function violationsOf(text: string): readonly string[] {
  return judge({ text, kubernetes: KUBERNETES }) as string[];
}

function judge(job: object): unknown {
  const input = JSON.stringify({ crds: join(REPOSITORY, 'test/deploy/crds'), ...job });
  return JSON.parse(run('python3', [join(REPOSITORY, 'test/support/chart.py')], input));
}

export interface Finding {
  readonly code: string;
  readonly line: number;
  readonly message: string;
}

export function lintDockerfile(text: string): readonly Finding[] {
  return JSON.parse(run('hadolint', ['--no-color', '--format', 'json', '-'], text));
}
