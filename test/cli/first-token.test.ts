// The first admin token: the embedded ledger creates it and shows it once; with Redis it comes from a file, and without
// one the start fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

const MAIN = join(fileURLToPath(import.meta.url), '../../../src/main.js');

interface Started {
  readonly child: ChildProcess;
  /** All that it wrote, both ways. */
  text(): string;
  /** Resolves with the part that matched, or rejects when it ended before. */
  until(pattern: RegExp): Promise<string>;
  readonly ended: Promise<number | null>;
}

function start(folder: string, config: string, admin = '127.0.0.1:0'): Started {
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(file, `server: { gateway: 127.0.0.1:0, admin: ${admin}, ops: 127.0.0.1:0 }\n${config}\n`);
  const child = spawn(process.execPath, [MAIN, 'serve', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const pieces = [child.stdout, child.stderr];
  for (const stream of pieces)
    stream.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const [found, part] = pattern.exec(text) ?? [];
        if (found !== undefined) resolve(part ?? found);
      };
      for (const stream of pieces) stream.on('data', look);
      void ended.then(() => reject(new Error(`ended with: ${text}`)));
      look();
    });
  return { child, text: () => text, until, ended };
}

const ADMIN = /"admin":"([^"]+)"/;
const LISTENING = /"event":"listening"/;

async function status(admin: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${admin}/v1/tokens`, { headers });
  await response.arrayBuffer();
  return response.status;
}

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function stop({ child, ended }: Started): Promise<void> {
  // Closes at once: no balancer has to learn of it.
  child.kill('SIGINT');
  await ended;
}

const SHOWN = /"adminToken":"(qga_[A-Za-z0-9]+_[A-Za-z0-9]+)"/;

t.test('embedded: made at the first start, shown once', async (t) => {
  const folder = folderOf(t);
  const config = `store: { embedded: { path: ${JSON.stringify(join(folder, 'data'))} } }`;
  const first = start(folder, config);
  t.teardown(() => stop(first));
  const token = await first.until(SHOWN);
  t.equal(await status(await first.until(ADMIN), token), 200);
  await stop(first);

  const again = start(folder, config);
  t.teardown(() => stop(again));
  await again.until(LISTENING);
  t.equal(await status(await again.until(ADMIN), token), 200, 'it is still known');
  await stop(again);
  t.notMatch(again.text(), 'adminToken');
});

t.test('embedded: shown at any log level', async (t) => {
  const folder = folderOf(t);
  const data = JSON.stringify(join(folder, 'data'));
  const quiet = start(folder, `store: { embedded: { path: ${data} } }\nlog: { level: silent }`);
  t.teardown(() => stop(quiet));
  t.match(await quiet.until(SHOWN), /^qga_/);
  await stop(quiet);
});

t.test('embedded, without the admin listener: none is made', async (t) => {
  const folder = folderOf(t);
  const config = `store: { embedded: { path: ${JSON.stringify(join(folder, 'data'))} } }`;
  const served = start(folder, config, 'off');
  t.teardown(() => stop(served));
  await served.until(LISTENING);
  await stop(served);
  t.notMatch(served.text(), 'adminToken');
  t.equal(await served.ended, 0);
});

t.test('embedded, with a token of the config: none is made', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'token'), 'a-token-for-tests\n');
  const config = `store: { embedded: { path: ${JSON.stringify(join(folder, 'data'))} } }
admin: { bootstrapTokenFile: ${JSON.stringify(join(folder, 'token'))} }`;
  const served = start(folder, config);
  t.teardown(() => stop(served));
  await served.until(LISTENING);
  const admin = await served.until(ADMIN);
  t.equal(await status(admin, 'a-token-for-tests'), 200);
  t.same(
    await (
      await fetch(`http://${admin}/v1/tokens`, { headers: { authorization: 'Bearer a-token-for-tests' } })
    ).json(),
    {
      items: [],
      cursor: null,
    },
  );
  await stop(served);
  t.notMatch(served.text(), 'adminToken');
  t.notMatch(served.text(), 'a-token-for-tests', 'it is in no log');
});

t.test('a token that is short or cannot be sent is refused', async (t) => {
  const folder = folderOf(t);
  for (const text of ['short', 'a token with space in it']) {
    writeFileSync(join(folder, 'token'), text);
    const served = start(folder, `admin: { bootstrapTokenFile: ${JSON.stringify(join(folder, 'token'))} }`);
    t.equal(await served.ended, 1);
    t.match(served.text(), /an admin token needs at least 16 characters\s+and no spaces/);
  }
});

t.test('Redis: needed until there is an admin token', { skip: skipWithoutRedis }, async (t) => {
  const folder = folderOf(t);
  const { url } = await serverOfFile();
  const config = `store: { redis: ${JSON.stringify(url)}, deadlineMs: 5000 }`;
  const bare = start(folder, config);
  t.equal(await bare.ended, 1);
  t.match(bare.text(), 'quotagate: admin.bootstrapTokenFile is not set, and the store has no admin token');

  const sidecar = start(folder, config, 'off');
  t.teardown(() => stop(sidecar));
  await sidecar.until(LISTENING);
  t.equal(await sidecar.until(ADMIN), 'off', 'not needed where the admin listener is off');
  await stop(sidecar);

  writeFileSync(join(folder, 'token'), 'a-token-for-tests\n');
  const file = `admin: { bootstrapTokenFile: ${JSON.stringify(join(folder, 'token'))} }`;
  const first = start(folder, `${config}\n${file}`);
  t.teardown(() => stop(first));
  await first.until(LISTENING);
  const admin = await first.until(ADMIN);
  const make = async (token: unknown): Promise<string> => {
    const headers = { authorization: 'Bearer a-token-for-tests', 'content-type': 'application/json' };
    const made = await fetch(`http://${admin}/v1/tokens`, {
      method: 'POST',
      headers,
      body: JSON.stringify(token),
    });
    return ((await made.json()) as { token: string }).token;
  };
  await make({ name: 'looks', role: 'viewer', orgs: 'all' });
  const still = start(folder, config);
  t.equal(await still.ended, 1, 'a token that cannot make others is not enough');

  const token = await make({ name: 'root', role: 'admin', orgs: 'all' });
  await stop(first);
  t.notMatch(first.text(), /qga_|a-token-for-tests/, 'with Redis no token is in the log');
  const after = start(folder, config);
  t.teardown(() => stop(after));
  await after.until(LISTENING);
  t.equal(await status(await after.until(ADMIN), token), 200);
  t.equal(await status(await after.until(ADMIN), 'a-token-for-tests'), 401, 'it is in no store');
});
