// kill -9 loses no more than the requests in flight (embedded: the last second); a clean shutdown loses nothing.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { admin, as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';
import { type Figures, figuresOf } from './figures.js';
import { comesTo, type LoadOptions, startLoad, until } from './load.js';

const ALLOWANCE = 1_500;
const SILENT_MS = 300;
const USERS = ['ana', 'ben', 'eva', 'kim'];
const ORGS = `
  acme:
    plans: { usage: { allowance: ${ALLOWANCE} } }
    groups: { crew: {} }
    users: { ana: { groups: [crew] }, ben: { groups: [crew] }, eva: {}, kim: {} }
`;
const MAIN = join(fileURLToPath(import.meta.url), '../../../src/main.js');

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-kill-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Records the time of each 200. Every fourth request fails and is refunded. */
async function startUpstream(t: Test): Promise<{ upstream: TestUpstream; servedAt: number[] }> {
  const servedAt: number[] = [];
  const upstream = await TestUpstream.start({
    handler: (request, response) => {
      request.resume();
      const status = request.headers['x-test-status'] === '500' ? 500 : 200;
      if (status === 200) servedAt.push(Date.now());
      response.writeHead(status).end('{}');
    },
  });
  t.teardown(() => upstream.close());
  return { upstream, servedAt };
}

function loadOn(gateways: readonly string[], connections: number): LoadOptions {
  const headersOf = (count: number): Record<string, string> =>
    count % 4 === 0 ? { 'x-test-status': '500' } : {};
  return { gateways, connections, path: '/v3/unit', users: USERS, headersOf };
}

/** What the org consumed, in requests. */
function requestsIn({ consumed }: Figures): number {
  return (consumed['usage:o'] ?? 0) / 10;
}

t.test('kill -9 of one of two gateways on Redis', { skip: skipWithoutRedis }, async (t) => {
  const folder = folderOf(t);
  const redis = await startRedis();
  const { upstream, servedAt } = await startUpstream(t);
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS };
  const [survivor, victim] = await Promise.all([spawnGateway(parts, folder), spawnGateway(parts, folder)]);
  const ledger = await openRedis({ url: redis.url });
  t.teardown(async () => {
    await ledger.close();
    await Promise.all([survivor.stop(), victim.stop()]);
    await redis.stop();
  });
  const connections = 32;
  const load = startLoad(loadOn([survivor.gateway, victim.gateway], connections));
  await until('a third is served', () => servedAt.length > ALLOWANCE / 3);
  t.equal(await victim.stop('SIGKILL'), null);
  t.ok(servedAt.length < (ALLOWANCE * 2) / 3, 'it was killed under load');
  await until('the budget is spent', () => (load.counts.get(429) ?? 0) > 50);
  await load.stop();

  const consumed = (): Promise<number> => figuresOf(ledger, 'acme').then(requestsIn);
  await comesTo(t, consumed, ALLOWANCE, 'exactly the budget is consumed');
  const lost = ALLOWANCE - servedAt.length;
  t.ok(lost >= 0 && lost <= connections / 2, `${lost} charged and not served`);
  const figures = await figuresOf(ledger, 'acme');
  t.strictSame(figures.held, {});
  t.strictSame(figures.recorded, figures.consumed, 'history and journal say the same');
});

t.test('kill -9 of an embedded gateway', async (t) => {
  const folder = folderOf(t);
  const { upstream, servedAt } = await startUpstream(t);
  const parts = { upstream: upstream.url, orgs: ORGS.replace(`${ALLOWANCE}`, '1000000') };
  const connections = 16;
  const killed = await spawnGateway(parts, folder);
  const load = startLoad(loadOn([killed.gateway], connections));
  const began = Date.now();
  await until('it has served for two seconds', () => Date.now() > began + 2_000);
  const killedAt = Date.now();
  killed.child.kill('SIGKILL');
  await killed.stop('SIGKILL');
  await load.stop();

  const again = await spawnGateway(parts, folder);
  const kept = await consumedNow(again);
  const safe = servedAt.filter((at) => at < killedAt - 1_000).length;
  t.ok(kept >= safe, `${kept} kept, ${safe} served until a second before`);
  t.ok(kept <= servedAt.length + connections, `${kept} kept, ${servedAt.length} served in all`);

  const { length } = servedAt;
  const more = startLoad(loadOn([again.gateway], connections));
  await until('it serves again', () => servedAt.length > length + 200);
  await more.stop();
  t.equal(await again.stop(), 0, 'a clean shutdown');

  const figures = await figuresIn(folder);
  t.equal(requestsIn(figures), kept + servedAt.length - length, 'a clean shutdown loses nothing');
  t.strictSame(figures.held, {});
  t.strictSame(figures.recorded, figures.consumed, 'history and journal say the same');
});

async function consumedNow(gateway: GatewayProcess): Promise<number> {
  const { body } = await admin(gateway.admin, 'GET', '/orgs/acme/usage');
  return (body as { org: [{ consumed: number }] }).org[0].consumed;
}

/** The figures that a stopped process left on disk. */
async function figuresIn(folder: string): Promise<Figures> {
  const ledger = await openEmbedded({ path: join(folder, 'data', 'ledger') });
  const figures = await figuresOf(ledger, 'acme');
  await ledger.close();
  return figures;
}

t.test('a second process on the same data folder is refused', async (t) => {
  const folder = folderOf(t);
  const { upstream } = await startUpstream(t);
  const first = await spawnGateway({ upstream: upstream.url, orgs: ORGS }, folder);
  const [config = ''] = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const second = spawn(process.execPath, [MAIN, 'serve', '-c', join(folder, config)]);
  let said = '';
  second.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise((resolve) => second.once('close', resolve));
  t.equal(code, 1);
  t.match(
    said,
    /^quotagate: store\.embedded\.path: The embedded store at .*data\/ledger: another process has it open \(.*\)\n$/,
  );
  t.equal(
    (await ask(first.gateway, '/v3/unit', { headers: as('ana') })).status,
    200,
    'the first process keeps serving',
  );
  await first.stop('SIGKILL');

  const third = await spawnGateway({ upstream: upstream.url, orgs: ORGS }, folder);
  t.equal(await third.stop(), 0, 'the lock ended with its process');
});

for (const store of ['embedded', 'redis'] as const) {
  t.test(
    `SIGTERM answers and settles all requests in flight, ${store}`,
    { skip: store === 'redis' && skipWithoutRedis },
    async (t) => {
      const folder = folderOf(t);
      const redis = store === 'redis' ? await startRedis() : undefined;
      const upstream = await TestUpstream.start();
      t.teardown(() => upstream.close());
      const gateway = await spawnGateway({ redis: redis?.url, upstream: upstream.url, orgs: ORGS }, folder);
      const agent = new Agent({ keepAlive: true });
      const asked = (status: string, path = '/v3/unit') => {
        const headers = { ...as('ana'), 'x-test-hold': 'head', 'x-test-status': status };
        return ask(gateway.gateway, path, { headers, agent });
      };
      const underWay = Array.from({ length: 20 }, (_, count) => asked(count % 2 === 0 ? '200' : '500'));
      const received = (): boolean => upstream.log.filter((entry) => entry.received).length === 20;
      await until('all are in flight', received);
      const began = performance.now();
      const ended = gateway.stop('SIGTERM');
      await until('it takes no new connection', async () => {
        return (await ask(gateway.gateway, '/v3/unit').catch(() => undefined)) === undefined;
      });
      // Pending settlements must wait for a store that does not answer for a moment.
      if (redis !== undefined) process.kill(redis.pid, 'SIGSTOP');
      upstream.release();
      const answers = await Promise.all(underWay);
      await delay(SILENT_MS);
      if (redis !== undefined) process.kill(redis.pid, 'SIGCONT');
      const statuses = answers.map(({ status }) => status);
      t.strictSame(
        statuses,
        statuses.map((_, count) => (count % 2 === 0 ? 200 : 500)),
        'all are answered',
      );
      t.equal(await ended, 0);
      t.ok(performance.now() - began < 30_000, 'open keep-alive connections do not delay the shutdown');
      agent.destroy();

      const ledger = redis && (await openRedis({ url: redis.url }));
      const figures = ledger === undefined ? await figuresIn(folder) : await figuresOf(ledger, 'acme');
      t.equal(requestsIn(figures), 10, 'pending settlements were delivered');
      t.strictSame(figures.recorded, figures.consumed);
      t.strictSame(figures.held, {});
      await ledger?.close();
      await redis?.stop();
    },
  );
}
