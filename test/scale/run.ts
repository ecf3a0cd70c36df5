/**
 * `npm run scale`: measures how 10,000 idle connections, and 1,000 slow clients, change the latency of other requests. Latencies are
 * medians over windows before, during and after the extra connections. Exits 1 where they more than double the p99 of others.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';
import type { KindName } from './crowd.js';

const CONNECTIONS = 4;
/** Time between two requests of a connection: long enough that the machine is not the bottleneck. */
const PACE_MS = 8;
const WINDOW_MS = 2_000;
const WINDOWS = 6;
const RATIO_MOST = 2;
const PIECE = Buffer.alloc(65_536, 'quotagate');
/** Open files of the process besides these connections. */
const FILES_BESIDE = 1_500;

const ORGS = '  acme: { plans: { usage: { allowance: 100000000 } } }';
const ROUTES = `
  - { match: '* /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /rows', action: rows, upstream: up, charges: [{ quota: usage, units: { jsonLength: /rows } }] }
`;

interface Setup {
  readonly gateway: GatewayProcess;
  readonly folder: string;
  readonly upstream: TestUpstream;
}

interface Figures {
  readonly requests: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
}

/** Latencies of clients with a steady pace, for one window. */
async function window({ gateway }: Setup): Promise<Figures> {
  const times: number[] = [];
  let failed = 0;
  const endsAt = performance.now() + WINDOW_MS;
  const client = async (number: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await delay((number * PACE_MS) / CONNECTIONS);
    while (performance.now() < endsAt) {
      const sentAt = performance.now();
      const headers = as(`user-${number}`);
      const reply = await ask(gateway.gateway, '/unit', { headers, agent }).catch(() => undefined);
      const ms = performance.now() - sentAt;
      if (reply?.status === 200) times.push(ms);
      else failed += 1;
      await delay(Math.max(0, PACE_MS - ms));
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => client(number)));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.POSITIVE_INFINITY;
  return { requests: times.length + failed, failed, p50: at(0.5), p99: at(0.99) };
}

async function measure(setup: Setup, windows: number): Promise<Figures[]> {
  const all: Figures[] = [];
  for (let count = 0; count < windows; count += 1) all.push(await window(setup));
  return all;
}

function summed(all: readonly Figures[]): Figures {
  const median = (of: (one: Figures) => number): number =>
    all.map(of).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
  return {
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
  };
}

/** A running crowd process and its number of open connections. */
class Crowd {
  open = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: { open?: number }) => {
      this.open = message.open ?? this.open;
    });
  }

  static async gather(address: string, kind: KindName, count: number): Promise<Crowd> {
    const child = fork(fileURLToPath(new URL('crowd.js', import.meta.url)), [address, kind, String(count)]);
    const crowd = new Crowd(child);
    await once(child, 'message');
    while (crowd.open === 0) await once(child, 'message');
    return crowd;
  }

  async leave(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}

function memoryMib({ child }: GatewayProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
}

/** Node raises the soft limit to the hard limit itself. */
function filesMost(): number {
  const text = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

function row(name: string, { requests, failed, p50, p99 }: Figures, more: readonly string[]): string {
  const cells = [name, String(requests), String(failed), p50.toFixed(1), p99.toFixed(1), ...more];
  return `| ${cells.join(' | ')} |\n`;
}

async function compare(setup: Setup, name: string, kind: KindName, count: number): Promise<boolean> {
  const before = await measure(setup, WINDOWS / 2);
  const memoryBefore = memoryMib(setup.gateway);
  const crowd = await Crowd.gather(setup.gateway.gateway, kind, count);
  const during = summed(await measure(setup, WINDOWS));
  const [there, memory] = [crowd.open, memoryMib(setup.gateway)];
  await crowd.leave();
  const without = summed([...before, ...(await measure(setup, WINDOWS / 2))]);
  const ratio = during.p99 / without.p99;
  process.stdout.write(row('none', without, ['', String(memoryBefore), '']));
  process.stdout.write(row(name, during, [String(there), String(memory), ratio.toFixed(2)]));
  return ratio <= RATIO_MOST && during.failed === 0 && without.failed === 0;
}

/** Answers with as many bytes as the request asks for, as fast as the client reads them. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume().on('error', () => undefined);
  const bytes = Number(request.headers['x-test-bytes'] ?? 2);
  if (request.method === 'POST') await new Promise((resolve) => request.once('close', resolve));
  if (response.destroyed) return;
  response.writeHead(200, { 'content-length': bytes });
  Readable.from(pieces(bytes)).pipe(response);
}

function* pieces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PIECE.length)
    yield PIECE.subarray(0, Math.min(left, PIECE.length));
}

async function start(): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-scale-'));
  const upstream = await TestUpstream.start({ handler: answer });
  // A slow transfer occupies a connection to the upstream, as in any proxy that does not buffer bodies.
  const upstreams = { up: { url: upstream.url, connections: 2_048 } };
  const gateway = await spawnGateway(
    { upstream: upstream.url, upstreams, orgs: ORGS, routes: ROUTES },
    folder,
  );
  return { gateway, folder, upstream };
}

const IDLE = 10_000;
const setup = await start();
let good = true;
process.stdout.write(
  `node ${process.versions.node}, load before the start ${loadavg()[0]?.toFixed(1)}; ` +
    `${CONNECTIONS} clients, one request each ${PACE_MS} ms\n\n` +
    '| extra load | requests | failed | p50 ms | p99 ms | open at the end | gateway MiB | p99 ratio |\n' +
    '|---|---|---|---|---|---|---|---|\n',
);
try {
  await measure(setup, 2);
  if (filesMost() < IDLE + FILES_BESIDE)
    process.stdout.write(`| skipped: 10,000 idle connections need more open files than ${filesMost()} |\n`);
  else good = (await compare(setup, '10,000 idle connections', 'idle', IDLE)) && good;
  good = (await compare(setup, '1,000 slow clients', 'slow', 1_000)) && good;
} finally {
  await setup.gateway.stop();
  await setup.upstream.close();
  rmSync(setup.folder, { recursive: true, force: true });
}
process.exit(good ? 0 : 1);
