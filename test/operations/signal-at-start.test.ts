// A signal that comes before the listeners are open: process 1 of a container would not notice it by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../e2e/load.js';
import { ask } from '../support/gateway.js';
import { freePort } from '../support/redis-node.js';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  t.test(signal, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-signal-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const ops = `127.0.0.1:${await freePort()}`;
    const file = join(folder, 'quotagate.yaml');
    writeFileSync(
      file,
      `server: { gateway: 127.0.0.1:0, admin: off, ops: ${ops}, drainMs: 0 }
store: { embedded: { path: ${join(folder, 'data')} } }
`,
    );
    const child = spawn(process.execPath, ['dist/src/main.js', 'serve', '-c', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let log = '';
    child.stdout.on('data', (piece: Buffer) => {
      log += piece.toString();
    });
    const ended = once(child, 'close');
    const isLive = () =>
      ask(ops, '/healthz').then(
        () => true,
        () => false,
      );
    await until('it is live', isLive);
    child.kill(signal);
    if (signal === 'SIGHUP') {
      await until('it has reloaded', () => log.includes('"event":"config_reloaded"'));
      child.kill('SIGINT');
    }
    t.same(await ended, [0, null]);
    t.match(log, /"event":"listening"[\s\S]*"event":"stopped"/);
  });
