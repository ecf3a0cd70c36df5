/** The machine and the commit of a run. Figures mean nothing without these two lines. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

/** `parts`: further facts, such as `redis 7.0.15`. The load average shows whether the machine was otherwise idle. */
export function machineLine(parts: readonly string[]): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown cpu';
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  const described = [model, `${availableParallelism()} cores`, `node ${process.versions.node}`, ...parts];
  return `machine: ${described.join(', ')}; load before the start ${load}`;
}

/** The commit of the working tree, marked `dirty` if files differ. */
export function commitLine(): string {
  const described = spawnSync('git', ['describe', '--always', '--abbrev=10', '--dirty'], {
    encoding: 'utf8',
  });
  const text = described.status === 0 ? described.stdout.trim() : 'not a git checkout';
  return `commit:  ${text}`;
}
