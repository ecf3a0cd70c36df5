/** What was measured, and on what: a figure without these two lines is worth nothing. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

/** `parts`: what else took part, such as `redis 7.0.15`. The load average tells whether the machine was ours alone. */
export function machineLine(parts: readonly string[]): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown cpu';
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  const described = [model, `${availableParallelism()} cores`, `node ${process.versions.node}`, ...parts];
  return `machine: ${described.join(', ')}; load before the start ${load}`;
}

/** The commit of the working tree, marked where files differ from it. */
export function commitLine(): string {
  const described = spawnSync('git', ['describe', '--always', '--abbrev=10', '--dirty'], {
    encoding: 'utf8',
  });
  const text = described.status === 0 ? described.stdout.trim() : 'not a git checkout';
  return `commit:  ${text}`;
}
