/** Prometheus’ own tool, in Debian’s package `prometheus`. */
import { spawnSync } from 'node:child_process';

/** Skip option for tap: with CI=true a missing part is a failure, so there is nothing to skip. */
export const skipWithoutPromtool: string | false =
  process.env.CI !== 'true' && spawnSync('promtool', ['--version']).error !== undefined
    ? 'promtool is not installed'
    : false;

export interface Judged {
  readonly status: number | null;
  /** Both outputs. */
  readonly text: string;
}

export function promtool(args: readonly string[], input = ''): Judged {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, text: stdout + stderr };
}
