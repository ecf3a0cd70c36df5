/**
 * `npm run bench:ai -- [rounds] [seconds]`: compares a gateway that reserves and settles AI tokens with the same gateway without a
 * quota, and with other AI gateways. Requests have a small prompt and get a JSON response or a stream of 200 events.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../test/support/redis.js';
import { aiConfig, NO_TOKENS, TOKENS } from './ai/config.js';
import { goneWithin } from './ai/gone.js';
import { type AiRequest, type AiResult, type Endpoint, fireAi, QUOTAGATE } from './ai/load.js';
import { openStreams } from './ai/open-streams.js';
import { startAiPeers } from './ai/peers.js';
import { startGateway } from './gateway/start.js';
import { watchCpu } from './lib/cpu.js';
import { commitLine, machineLine } from './lib/machine.js';
import { interleave, median } from './lib/rounds.js';
import { type Contender, forkServer } from './lib/server.js';
import { type Aim, table, verdicts, whole } from './lib/table.js';

const figures = process.argv
  .slice(2)
  .filter((arg) => /^[\d.]+$/.test(arg))
  .map(Number);
const [ROUNDS = 5, SECONDS = 2] = figures;
const CONNECTIONS = 64;
const CHUNKS = 200;
const STREAMS = 1_000;

interface Sample extends AiResult {
  readonly serverUs: number;
  readonly redisUs: number;
}

interface Entry {
  readonly server: Contender;
  readonly endpoint: Endpoint;
}

type Rows = ReadonlyMap<string, Sample>;

interface Outcome {
  readonly rows: Rows;
  /** Contenders that could not take part, and why. */
  readonly leftOut: readonly string[];
}

const PLAIN = 'no quota';
const COUNTED = 'tokens, Redis';
const KEYS = ['requests', 'perSecond', 'firstMs', 'p99Ms', 'serverUs', 'redisUs'] as const;

async function contest(entries: readonly Entry[], request: AiRequest, redis: RedisServer): Promise<Outcome> {
  const contestants = entries.map(({ server, endpoint }) => ({
    name: server.name,
    async run(): Promise<Sample> {
      const spent = watchCpu({ server: server.pids, redis: redis.pid });
      const load = { url: server.url, endpoint, request, connections: CONNECTIONS, seconds: SECONDS };
      const result = await fireAi(load);
      const cpu = spent();
      return { ...result, serverUs: cpu.server / result.requests, redisUs: cpu.redis / result.requests };
    },
  }));
  const able: typeof contestants = [];
  const leftOut: string[] = [];
  // A further warm-up: the first round is discarded, but Node compiles for longer than that.
  for (const contestant of contestants)
    await contestant.run().then(
      () => able.push(contestant),
      (error: Error) => leftOut.push(`left out: ${contestant.name}: ${error.message}`),
    );
  const samples = await interleave(able, ROUNDS);
  const rows = [...samples].map(([name, list]) => {
    const medians = KEYS.map((key) => [key, median(list.map((sample) => sample[key]))]);
    return [name, Object.fromEntries(medians) as unknown as Sample] as const;
  });
  return { rows: new Map(rows), leftOut };
}

function rowOf(rows: Rows, name: string): Sample {
  const row = rows.get(name);
  if (row === undefined) throw new Error(`${name} did not take part`);
  return row;
}

function tableOf(rows: Rows, chunks: number): string {
  const cells = [...rows].map(([name, row]) => {
    const { perSecond, firstMs, p99Ms, serverUs, redisUs } = row;
    const times = [firstMs, p99Ms].map((ms) => ms.toFixed(1));
    const streamed = chunks === 0 ? [] : [whole(perSecond * chunks)];
    return [name, whole(perSecond), ...streamed, ...times, serverUs.toFixed(0), redisUs.toFixed(0)];
  });
  const streamed = chunks === 0 ? [] : ['chunks/s'];
  const head = ['', 'req/s', ...streamed, 'first byte p50 ms', 'p99 ms', 'server µs/req', 'Redis µs/req'];
  return table(head, cells);
}

function jsonAims(rows: Rows): Aim[] {
  const ours = rowOf(rows, COUNTED).perSecond;
  const least = { [PLAIN]: 0.8, 'Portkey gateway': 10, 'LiteLLM proxy': 100 };
  return Object.entries(least).flatMap(([name, bound]) => {
    const row = rows.get(name);
    if (row === undefined) return [];
    return [{ text: `JSON: req/s of ${name}`, measured: ours / row.perSecond, least: bound, unit: '×' }];
  });
}

function streamAims(rows: Rows): Aim[] {
  const [ours, plain] = [rowOf(rows, COUNTED), rowOf(rows, PLAIN)];
  return [
    { text: 'stream: first byte', measured: ours.firstMs / plain.firstMs, most: 1.1, unit: '×' },
    { text: 'stream: chunks/s', measured: ours.perSecond / plain.perSecond, least: 0.9, unit: '×' },
  ];
}

function print(title: string, parts: readonly string[], aims: readonly Aim[]): void {
  const filled = [`## ${title}`, ...parts, verdicts(aims)].filter((part) => part !== '');
  process.stdout.write(`${filled.join('\n\n')}\n\n`);
}

async function measure(folder: string): Promise<void> {
  const upstream = await forkServer(import.meta.url, './ai/upstream.js');
  const redis = await startRedis();
  const parts = aiConfig(upstream.url);
  const plain = await startGateway({ name: PLAIN, ...parts, routes: NO_TOKENS, redis: redis.url }, folder);
  const counted = await startGateway({ name: COUNTED, ...parts, routes: TOKENS, redis: redis.url }, folder);
  const { peers, leftOut } = await startAiPeers({ folder, upstream: upstream.url });
  try {
    const own = [plain, counted].map((server) => ({ server, endpoint: QUOTAGATE }));
    const all = [...own, ...peers.map((server) => ({ server, endpoint: server.endpoint }))];
    const json = await contest(all, { stream: false }, redis);
    print(
      `JSON answers, ${CONNECTIONS} connections`,
      [tableOf(json.rows, 0), [...leftOut, ...json.leftOut].join('\n')],
      jsonAims(json.rows),
    );
    const streams = await contest(all, { stream: true, chunks: CHUNKS }, redis);
    print(
      `Streams of ${CHUNKS} events`,
      [tableOf(streams.rows, CHUNKS), streams.leftOut.join('\n')],
      streamAims(streams.rows),
    );
    const gone = await goneWithin(counted.url, upstream);
    print('A client leaves its stream', [], [gone]);
    const memory = await openStreams(folder, parts, redis.url, STREAMS);
    print(`${whole(STREAMS)} open streams`, [memory.table], memory.aims);
  } finally {
    await Promise.all([plain, counted, ...peers].map((server) => server.stop()));
    await redis.stop();
    await upstream.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-bench-'));
process.stdout.write(`${machineLine([`${ROUNDS} rounds of ${SECONDS} s`])}\n${commitLine()}\n\n`);
try {
  await measure(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
