/** How soon the upstream is told that the client has left its stream. */
import { Pool } from 'undici';
import { quantile } from '../lib/rounds.js';
import type { OwnServer } from '../lib/server.js';
import type { Aim } from '../lib/table.js';
import { hear, QUOTAGATE, requestOf } from './load.js';

const STREAMS = 300;
const AT_ONCE = 30;
const PATIENCE_MS = 5_000;

export async function goneWithin(url: string, upstream: OwnServer): Promise<Aim> {
  const left = new Map<string, bigint>();
  const delays: number[] = [];
  const forget = upstream.onMessage((message) => {
    const { gone, at } = message as { gone: string; at: string };
    const leftAt = left.get(gone);
    if (leftAt !== undefined) delays.push(Number(BigInt(at) - leftAt) / 1e6);
  });
  const pool = new Pool(url, { connections: AT_ONCE, pipelining: 1 });
  const leave = async (id: number): Promise<void> => {
    const ask = { stream: true, chunks: 10_000, everyMs: 5, id };
    await hear(pool, requestOf(QUOTAGATE, ask, id), (abort) => {
      left.set(String(id), process.hrtime.bigint());
      abort();
    }).catch(() => undefined);
  };
  for (let from = 1; from <= STREAMS; from += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => leave(from + index)));
  const until = performance.now() + PATIENCE_MS;
  while (delays.length < STREAMS && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20));
  forget();
  await pool.destroy();
  // One of which the upstream never heard is no quick one.
  const all = [...delays, ...Array.from({ length: STREAMS - delays.length }, () => PATIENCE_MS)];
  return { text: 'client gone, upstream told: p99', measured: quantile(all, 0.99), most: 100, unit: ' ms' };
}
