// What keeps the gateway from starting is reported with its setting.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { serve } from '../../src/cli/serve.js';
import { loadConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'quotagate-start-'));
t.teardown(() => rmSync(folder, { recursive: true }));

async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const started = (text: string) => serve({ file: 'a.yaml', read: () => loadConfig(text, {}) }, {});
const store = (name: string): string =>
  `store: { embedded: { path: ${join(folder, name)} } }\nlog: { level: silent }\n`;

t.test('a port that is taken', async (t) => {
  const port = await takenPort(t);
  for (const listener of ['gateway', 'admin', 'ops']) {
    const places = { gateway: 0, admin: 0, ops: 0, [listener]: port };
    const server = Object.entries(places).map(([name, at]) => `${name}: "127.0.0.1:${at}"`);
    const failed = started(`server: { ${server.join(', ')} }\n${store(listener)}`);
    await t.rejects(failed, { message: new RegExp(`^server.${listener}: 127.0.0.1:${port} is taken`) });
  }
});

t.test('an address that this machine does not have', async (t) => {
  const failed = started(
    `server: { gateway: "127.0.0.1:0", admin: "127.0.0.1:0", ops: "192.0.2.1:9" }\n${store('b')}`,
  );
  await t.rejects(failed, { message: /^server.ops: 192.0.2.1:9 is not an address of this machine/ });
});

t.test('a store that cannot be had', async (t) => {
  const server = 'server: { gateway: "127.0.0.1:0", admin: "127.0.0.1:0", ops: "127.0.0.1:0" }\n';
  const closed = started(`${server}store: { redis: "redis://127.0.0.1:1" }\nlog: { level: silent }\n`);
  await t.rejects(closed, {
    message: /^store.redis: Redis cannot be reached: connect ECONNREFUSED 127.0.0.1:1$/,
  });
  writeFileSync(join(folder, 'file'), '');
  await t.rejects(started(`${server}${store('file')}`), { message: /^store.embedded.path: / });
});
