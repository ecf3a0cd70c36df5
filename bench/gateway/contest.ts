/** Compares servers under the same load: interleaved rounds, medians, one table. */
import type { RedisServer } from '../../test/support/redis.js';
import { watchCpu } from '../lib/cpu.js';
import { type Contestant, interleave, median } from '../lib/rounds.js';
import type { Contender } from '../lib/server.js';
import { table, whole } from '../lib/table.js';
import { type HeadersOf, PATH, trusted } from './config.js';
import { fire, type LoadResult } from './load.js';

export interface Sample extends LoadResult {
  readonly serverUs: number;
  readonly redisUs: number;
}

export interface Entry {
  readonly name?: string;
  readonly server: Contender;
  readonly headersOf?: HeadersOf;
  readonly expected?: number;
}

export interface Contest {
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly redis: RedisServer;
}

export type Rows = ReadonlyMap<string, Sample>;

/** Node compiles hot code during the first tens of thousands of requests; a short round would measure that. */
const WARM_UP_SECONDS = 4;

export async function contest(entries: readonly Entry[], options: Contest): Promise<Rows> {
  const contestants = entries.map((entry) => contestantOf(entry, options));
  for (const entry of entries)
    await contestantOf(entry, { ...options, connections: 64, seconds: WARM_UP_SECONDS }).run();
  const samples = await interleave(contestants, options.rounds);
  return new Map([...samples].map(([name, list]) => [name, medianOf(list)]));
}

function contestantOf(entry: Entry, { connections, seconds, redis }: Contest): Contestant<Sample> {
  const { server, name = server.name, headersOf = trusted(), expected = 200 } = entry;
  const run = async (): Promise<Sample> => {
    const spent = watchCpu({ server: server.pids, redis: redis.pid });
    const result = await fire({ url: server.url + PATH, connections, seconds, headersOf, expected });
    const cpu = spent();
    if (result.other > 0) throw new Error(`${name}: ${result.other} answers were not ${expected}`);
    return { ...result, serverUs: cpu.server / result.requests, redisUs: cpu.redis / result.requests };
  };
  return { name, run };
}

const KEYS = ['requests', 'perSecond', 'p50Us', 'p99Us', 'other', 'serverUs', 'redisUs'] as const;

function medianOf(samples: readonly Sample[]): Sample {
  const medians = KEYS.map((key) => [key, median(samples.map((sample) => sample[key]))]);
  return Object.fromEntries(medians) as unknown as Sample;
}

export function rowOf(rows: Rows, name: string): Sample {
  const row = rows.get(name);
  if (row === undefined) throw new Error(`${name} did not take part`);
  return row;
}

/** CPU time of a request, Redis included. */
export function cpuOf({ serverUs, redisUs }: Sample): number {
  return serverUs + redisUs;
}

/** With `base`, the last columns compare each row with that one. */
export function tableOf(rows: Rows, base?: string): string {
  const basis = base === undefined ? undefined : rowOf(rows, base);
  const cells = [...rows].map(([name, row]) => {
    const figures = [row.perSecond, row.p50Us, row.p99Us].map(whole);
    const costs = [row.serverUs, row.redisUs, cpuOf(row)].map((us) => us.toFixed(1));
    if (basis === undefined) return [name, ...figures, ...costs];
    const ratios = [row.perSecond / basis.perSecond, cpuOf(row) / basis.serverUs];
    return [name, ...figures, ...costs, ...ratios.map((ratio) => ratio.toFixed(2))];
  });
  const head = ['', 'req/s', 'p50 µs', 'p99 µs', 'server µs/req', 'Redis µs/req', 'sum µs/req'];
  return table(basis === undefined ? head : [...head, 'req/s ×', 'CPU ×'], cells);
}
