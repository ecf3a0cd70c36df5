/** Measures one round of a load: decisions, and their CPU time in Redis and in the client. */
import type { Connection } from '../../src/ledger/redis/connection.js';
import { watchCpu } from '../lib/cpu.js';
import { quantile } from '../lib/rounds.js';
import type { Load } from './loads.js';

export interface Sample {
  readonly perSecond: number;
  /** CPU µs per decision. */
  readonly redis: number;
  readonly client: number;
  /** Counters per call. */
  readonly lines: number;
}

export interface CallTimes {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Count {
  decisions: number;
  lines: number;
  calls: number;
}

export async function measure(load: Load, redisPid: number, milliseconds: number): Promise<Sample> {
  const spent = watchCpu({ redis: redisPid, client: process.pid });
  const begun = performance.now();
  const { decisions, lines, calls } = await drive(load, milliseconds);
  const seconds = (performance.now() - begun) / 1000;
  const { redis, client } = spent();
  return {
    perSecond: decisions / seconds,
    redis: redis / decisions,
    client: client / decisions,
    lines: lines / calls,
  };
}

async function drive(load: Load, milliseconds: number): Promise<Count> {
  const count = { decisions: 0, lines: 0, calls: 0 };
  const until = performance.now() + milliseconds;
  const keepSending = async (slot: number): Promise<void> => {
    while (performance.now() < until) {
      const { decisions, lines } = await load.step(slot);
      count.decisions += decisions;
      count.lines += lines;
      count.calls += 1;
    }
  };
  await Promise.all(Array.from({ length: load.inFlight }, (_, slot) => keepSending(slot)));
  return count;
}

const SLOWLOG_ENTRIES = 20_000;

/** How long each call occupied Redis, in µs, from its SLOWLOG. Logging takes time, so no rates are taken from this round. */
export async function callTimes(load: Load, redis: Connection, milliseconds: number): Promise<CallTimes> {
  await redis.send('config', ['set', 'slowlog-max-len', SLOWLOG_ENTRIES, 'slowlog-log-slower-than', 0]);
  await redis.send('slowlog', ['reset']);
  await drive(load, milliseconds);
  await redis.send('config', ['set', 'slowlog-log-slower-than', -1]);
  const entries = (await redis.send('slowlog', ['get', SLOWLOG_ENTRIES])) as [
    number,
    number,
    number,
    string[],
  ][];
  const calls = entries.filter(([, , , [command]]) => command === 'evalsha' || command === 'incrby');
  const times = calls.map(([, , duration]) => duration);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: Math.max(...times) };
}
