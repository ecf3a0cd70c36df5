// A body of any size passes completely while the gateway’s memory stays flat: 256 MiB each way, or 4 GiB with `BIG=1`.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { comesTo } from '../e2e/load.js';
import { admin, as, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { hashOfBytes, TestUpstream } from '../support/upstream.js';

const MIB = 1_048_576;
const BIG = process.env.BIG === '1';
const BYTES = BIG ? 4_096 * MIB : 256 * MIB;
/** Before it is measured: enough for every pool and buffer of the process to have its size. */
const WARM_UP_BYTES = 64 * MIB;
/** What its garbage collector leaves lying about: far from the whole. */
const GROWTH_MOST = 96 * MIB;
const TIMEOUT_MS = BIG ? 600_000 : 100_000;
t.setTimeout(3 * TIMEOUT_MS);

const ROUTES = `
  - { match: 'POST /up', action: up, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /down', action: down, upstream: up, charges: [{ quota: lds, units: { bytes: out }, hold: 1 }] }
`;
const ORGS = '  acme: { plans: { usage: { allowance: 100 }, lds: { allowance: 100000000000 } } }';

/** The most memory that the process has had. */
function peakOf({ child }: GatewayProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

async function start(t: Test): Promise<{ upstream: TestUpstream; gateway: GatewayProcess }> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-big-'));
  const upstream = await TestUpstream.start();
  const gateway = await spawnGateway({ upstream: upstream.url, orgs: ORGS, routes: ROUTES }, folder);
  t.teardown(async () => {
    await gateway.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  return { upstream, gateway };
}

function open({ gateway }: GatewayProcess, path: string, method: string, fields: Record<string, string>) {
  const [host, port] = gateway.split(':');
  return httpRequest({ host, port, path, method, headers: { ...as('ana'), ...fields } });
}

async function down(gateway: GatewayProcess, bytes: number): Promise<string> {
  const request = open(gateway, '/down', 'GET', { 'x-test-bytes': String(bytes) }).end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of message) hash.update(chunk);
  return hash.digest('hex');
}

async function write(request: ClientRequest, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(MIB, 'upload');
  for (let written = 0; written < bytes; written += MIB) {
    hash.update(piece);
    if (!request.write(piece)) await once(request, 'drain');
  }
  request.end();
  return hash.digest('hex');
}

async function up(gateway: GatewayProcess, bytes: number, framing: Record<string, string>): Promise<string> {
  const request = open(gateway, '/up', 'POST', framing);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const hash = await write(request, bytes);
  const [message] = await answered;
  message.resume();
  await once(message, 'end');
  return hash;
}

const skip = !existsSync('/proc/self/status') && 'memory is read from /proc';

t.test('down, charged by the byte', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const { gateway } = await start(t);
  await down(gateway, WARM_UP_BYTES);
  const before = peakOf(gateway);
  t.equal(await down(gateway, BYTES), hashOfBytes(BYTES));
  const growth = peakOf(gateway) - before;
  t.comment(
    `${BYTES / MIB} MiB down: at most ${Math.round(before / MIB)} MiB before, ${Math.round(growth / MIB)} more`,
  );
  t.ok(growth < GROWTH_MOST, `${growth} bytes more`);
  const charged = async (): Promise<unknown> =>
    (await admin(gateway.admin, 'GET', '/orgs/acme/users/ana')).body;
  await comesTo(
    t,
    async () => JSON.stringify(await charged()).includes(`"consumed":${BYTES + WARM_UP_BYTES}`),
    true,
    'charged',
  );
});

for (const [title, framing] of [
  ['with its length', { 'content-length': String(BYTES) }],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
] as const) {
  t.test(`up, ${title}`, { skip, timeout: TIMEOUT_MS }, async (t) => {
    const { upstream, gateway } = await start(t);
    await up(gateway, WARM_UP_BYTES, { 'transfer-encoding': 'chunked' });
    const before = peakOf(gateway);
    const hash = await up(gateway, BYTES, framing);
    const { bodyBytes, bodyHash } = upstream.log.at(-1) ?? {};
    t.same([bodyBytes, bodyHash], [BYTES, hash]);
    const growth = peakOf(gateway) - before;
    t.comment(
      `${BYTES / MIB} MiB up: at most ${Math.round(before / MIB)} MiB before, ${Math.round(growth / MIB)} more`,
    );
    t.ok(growth < GROWTH_MOST, `${growth} bytes more`);
  });
}
