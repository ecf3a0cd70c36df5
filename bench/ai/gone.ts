/** Measures how soon the upstream request is aborted after the client leaves its stream. */
import { Pool } from 'undici';
import { quantile } from '../lib/rounds.js';
import type { OwnServer } from '../lib/server.js';
import type { Aim } from '../lib/table.js';
import { QUOTAGATE, readResponse, requestOf } from './load.js';

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
    const request = { stream: true, chunks: 10_000, everyMs: 5, id };
    await readResponse(pool, requestOf(QUOTAGATE, request, id), (abort) => {
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
  // A stream that was never aborted counts with the whole time-out.
  const all = [...delays, ...Array.from({ length: STREAMS - delays.length }, () => PATIENCE_MS)];
  return {
    text: 'from client gone to upstream aborted: p99',
    measured: quantile(all, 0.99),
    most: 100,
    unit: ' ms',
  };
}
