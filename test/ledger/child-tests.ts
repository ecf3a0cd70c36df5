/** Runs a test file of this folder in a process of its own, with other settings. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));

export interface ChildOutcome {
  /** Failed assertions. */
  readonly failed: readonly string[];
  /** How many tests ran on Redis. */
  readonly onRedis: number;
  readonly code: number | null;
}

export async function runChild(
  file: string,
  settings: Readonly<Record<string, string>>,
): Promise<ChildOutcome> {
  const env = { ...process.env, ...settings };
  const child = spawn(process.execPath, [join(FOLDER, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const failed = output.match(/^ *not ok .*$/gm) ?? [];
  return { failed, onRedis: output.match(/^ok .*(\(redis\)|both ledgers)/gm)?.length ?? 0, code };
}
