/** Runs luacheck on each script as Redis gets it: with its parts put in. Left out, and said so, where luacheck is missing. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { loadScript } from '../src/ledger/redis/scripts.js';

const names = readdirSync('lua').flatMap((file) => (file.endsWith('.lua') ? [file.slice(0, -4)] : []));
let status = 0;
for (const name of names) {
  const args = ['--no-color', '--quiet', '--filename', `lua/${name}.lua (composed)`, '-'];
  const run = spawnSync('luacheck', args, { input: loadScript(name).source, encoding: 'utf8' });
  if (run.error !== undefined) {
    process.stderr.write('luacheck is not installed: left out (Debian: apt-get install lua-check)\n');
    // With CI=true a missing part is a failure.
    status = process.env.CI === 'true' ? 1 : 0;
    break;
  }
  process.stdout.write(run.status === 0 ? '' : run.stdout);
  if (run.status !== 0) status = 1;
}
process.exitCode = status;
