/** autocannon with exact latencies: its own histogram has a resolution of a millisecond. */
import autocannon from 'autocannon';
import { quantile } from '../lib/rounds.js';
import { type HeadersOf, USERS } from './config.js';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headersOf: HeadersOf;
  readonly expected: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Unexpected responses. Counted, because fast errors would make a gateway look fast. */
  readonly other: number;
}

export async function fire({ url, connections, seconds, headersOf, expected }: Load): Promise<LoadResult> {
  const times: number[] = [];
  let other = 0;
  const requests = Array.from({ length: USERS }, (_, user) => ({
    method: 'GET' as const,
    headers: headersOf(user),
  }));
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const instance = autocannon({ url, connections, duration: seconds, requests }, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
    instance.on('response', (_client, status, _bytes, ms) => {
      if (status !== expected) other += 1;
      times.push(ms * 1_000);
    });
    instance.on('reqError', () => {
      other += 1;
    });
  });
  const elapsed = (performance.now() - began) / 1_000;
  return {
    requests: times.length,
    perSecond: times.length / elapsed,
    p50Us: quantile(times, 0.5),
    p99Us: quantile(times, 0.99),
    other,
  };
}
