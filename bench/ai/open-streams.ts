/** Memory of open streams: a fresh gateway, measured idle and with all streams open, each time after a garbage collection. */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { type BenchGateway, type GatewayOptions, startGateway } from '../gateway/start.js';
import { residentOf } from '../lib/cpu.js';
import { type Aim, table } from '../lib/table.js';
import { NO_TOKENS, TOKENS } from './config.js';
import { QUOTAGATE, readResponse, requestOf } from './load.js';

const EVERY_MS = 500;
const SETTLE_MS = 6_000;
const MEBI = 1_048_576;
/** Collects garbage on SIGUSR2. */
const PRELOAD = `data:text/javascript,process.on('SIGUSR2',()=>globalThis.gc())`;

interface Taken {
  readonly name: string;
  readonly idle: number;
  readonly open: number;
}

export async function openStreams(
  folder: string,
  parts: Omit<GatewayOptions, 'name'>,
  redis: string,
  streams: number,
): Promise<{ table: string; aims: Aim[] }> {
  const taken: Taken[] = [];
  for (const [name, routes] of [
    ['no quota', NO_TOKENS],
    ['tokens counted', TOKENS],
  ] as const) {
    const nodeArgs = ['--expose-gc', '--import', PRELOAD];
    const gateway = await startGateway({ name, ...parts, routes, redis, nodeArgs }, folder);
    taken.push(await takenBy(gateway, streams));
    await gateway.stop();
  }
  const grown = taken.map(({ idle, open }) => open - idle);
  const [plain = Number.NaN, counted = Number.NaN] = grown;
  const cells = taken.map(({ name, idle, open }) => [
    name,
    (idle / MEBI).toFixed(1),
    (open / MEBI).toFixed(1),
    ((open - idle) / 1_024 / streams).toFixed(1),
  ]);
  const [plainOpen = Number.NaN, countedOpen = Number.NaN] = taken.map(({ open }) => open);
  return {
    table: table(['', 'idle, MB', 'open, MB', 'KB per stream'], cells),
    aims: [
      { text: 'open streams: total memory', measured: countedOpen / plainOpen, most: 1.3, unit: '×' },
      { text: 'open streams: memory per stream', measured: counted / plain, most: 1.3, unit: '×' },
    ],
  };
}

async function takenBy(gateway: BenchGateway, streams: number): Promise<Taken> {
  const pool = new Pool(gateway.url, { connections: streams, pipelining: 1 });
  const request = { stream: true, chunks: 1_000_000, everyMs: EVERY_MS };
  const open = (count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, (_, user) => {
        const begun = new Promise<void>((resolve, reject) => {
          readResponse(pool, requestOf(QUOTAGATE, request, user), () => resolve()).catch(reject);
        });
        return begun;
      }),
    );
  // Warm up: what the first requests load stays in memory.
  const first = new Pool(gateway.url, { connections: 8, pipelining: 1 });
  for (let count = 0; count < 200; count += 1)
    await readResponse(first, requestOf(QUOTAGATE, { stream: true, chunks: 5 }, count));
  await first.destroy();
  const idle = await residentAfterGc(gateway);
  await open(streams);
  await delay(SETTLE_MS);
  const full = await residentAfterGc(gateway);
  await pool.destroy().catch(() => undefined);
  return { name: gateway.name, idle, open: full };
}

/** Collects twice: the second collection returns what the first one freed. */
async function residentAfterGc({ pids }: BenchGateway): Promise<number> {
  for (let time = 0; time < 2; time += 1) {
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    await delay(500);
  }
  return residentOf(pids);
}
