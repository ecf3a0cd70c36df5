// The common path of apply.lua hides what the full path does with the same calls: the contract and the random histories hold with the
// common path off, too.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const HISTORIES = '60';
const FILES = [
  ...readdirSync(join(FOLDER, 'contract'))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join('contract', name)),
  'random-histories.test.js',
];

/** Failed assertions, and how many tests ran on Redis. */
async function run(file: string): Promise<{ failed: string[]; onRedis: number; code: number | null }> {
  const env = { ...process.env, QUOTAGATE_TEST_FULL_PATH: '1', HISTORIES };
  const child = spawn(process.execPath, [join(FOLDER, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const failed = output.match(/^ *not ok .*$/gm) ?? [];
  return { failed, onRedis: output.match(/^ok .*(\(redis\)|both ledgers)/gm)?.length ?? 0, code };
}

t.test('the same tests pass without the common path', { skip: skipWithoutRedis }, async (t) => {
  let onRedis = 0;
  for (const file of FILES) {
    const result = await run(file);
    onRedis += result.onRedis;
    t.same(result.failed, [], file);
    t.equal(result.code, 0, `${file} ends well`);
  }
  t.ok(onRedis > 100, `${onRedis} tests ran on Redis`);
});
