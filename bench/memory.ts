/**
 * `npm run bench:memory -- [minutes]`: memory of a gateway on Redis, and of Redis, under full load for 10 minutes, with a line every 30
 * seconds. Memory that grows with every request shows up; caches are full after the first third.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../test/support/redis.js';
import { ORGS, PATH, STRICT, trusted } from './gateway/config.js';
import { fire } from './gateway/load.js';
import { startGateway } from './gateway/start.js';
import { residentOf } from './lib/cpu.js';
import { commitLine, machineLine } from './lib/machine.js';
import { median } from './lib/rounds.js';
import { forkServer } from './lib/server.js';
import { table, verdicts, whole } from './lib/table.js';

const MINUTES = Number(process.argv[2] ?? 10);
const EVERY_SECONDS = 30;
const MEBI = 1_048_576;

interface Line {
  readonly second: number;
  readonly perSecond: number;
  readonly residentMb: number;
  readonly heapMb: number;
  readonly redisMb: number;
}

async function heapOf(ops: string): Promise<number> {
  const text = await (await fetch(`http://${ops}/metrics`)).text();
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function watchMemory(folder: string): Promise<Line[]> {
  const upstream = await forkServer(import.meta.url, './gateway/upstream.js');
  const redis = await startRedis();
  const parts = { name: 'strict', upstream: upstream.url, orgs: ORGS, routes: STRICT, redis: redis.url };
  const gateway = await startGateway(parts, folder);
  const lines: Line[] = [];
  try {
    const load = { url: gateway.url + PATH, connections: 64, headersOf: trusted(), expected: 200 };
    for (let second = EVERY_SECONDS; second <= MINUTES * 60; second += EVERY_SECONDS) {
      const { perSecond, other } = await fire({ ...load, seconds: EVERY_SECONDS });
      if (other > 0) throw new Error(`${other} answers were not 200`);
      const bytes = [residentOf(gateway.pids), await heapOf(gateway.ops), residentOf([redis.pid])];
      const [residentMb = 0, heapMb = 0, redisMb = 0] = bytes.map((each) => each / MEBI);
      lines.push({ second, perSecond, residentMb, heapMb, redisMb });
      const figures = `rss ${residentMb.toFixed(0)} MB, heap ${heapMb.toFixed(0)} MB, Redis ${redisMb.toFixed(0)} MB`;
      process.stdout.write(`${String(second).padStart(5)} s: ${whole(perSecond)}/s, ${figures}\n`);
    }
    return lines;
  } finally {
    await gateway.stop();
    await redis.stop();
    await upstream.stop();
  }
}

/** Compares the last third with the second. */
function report(lines: readonly Line[]): void {
  const third = Math.max(1, Math.floor(lines.length / 3));
  const middle = lines.slice(-2 * third, -third);
  const last = lines.slice(-third);
  if (middle.length === 0) return;
  const of = (some: readonly Line[], key: keyof Line): number => {
    const values = some.map((line) => line[key]);
    // The heap is a sawtooth: its minimum is what stays allocated.
    return key === 'heapMb' ? Math.min(...values) : median(values);
  };
  const keys = ['residentMb', 'heapMb', 'redisMb'] as const;
  const names = { residentMb: 'gateway, rss', heapMb: 'gateway, heap', redisMb: 'Redis, rss' };
  const rows = keys.map((key) => [names[key], of(middle, key).toFixed(1), of(last, key).toFixed(1)]);
  const aims = keys.map((key) => ({
    text: `${names[key]}: last third of the one before`,
    measured: of(last, key) / of(middle, key),
    most: 1.1,
    unit: '×',
  }));
  const head = ['', 'second third, MB', 'last third, MB'];
  process.stdout.write(`\n${table(head, rows)}\n\n${verdicts(aims)}\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-bench-'));
process.stdout.write(`${machineLine([`${MINUTES} minutes`])}\n${commitLine()}\n\n`);
try {
  report(await watchMemory(folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
