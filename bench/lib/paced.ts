/** Open-loop load: requests start at their own pace, not when the previous one is answered, so the load causes no queue itself. */
import { Pool } from 'undici';
import { nap } from './nap.js';
import { quantile } from './rounds.js';

export interface Pace {
  readonly url: string;
  readonly path: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly headersOf: (index: number) => Record<string, string>;
}

export interface Paced {
  readonly requests: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const CONNECTIONS = 64;

export async function paced({ url, path, perSecond, seconds, headersOf }: Pace): Promise<Paced> {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
  const times: number[] = [];
  const open = new Set<Promise<void>>();
  const ask = async (index: number): Promise<void> => {
    const began = performance.now();
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers: headersOf(index) });
    await body.dump();
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`);
    times.push((performance.now() - began) * 1_000);
  };
  const until = performance.now() + seconds * 1_000;
  let next = performance.now();
  for (let index = 0; next < until; ) {
    if (performance.now() >= next) {
      const asked = ask(index).finally(() => open.delete(asked));
      open.add(asked);
      index += 1;
      // Poisson arrivals: the time between two requests is exponential.
      next -= (Math.log(1 - Math.random()) / perSecond) * 1_000;
    } else nap();
    await new Promise(setImmediate);
  }
  await Promise.all(open);
  await pool.close();
  return { requests: times.length, p50Us: quantile(times, 0.5), p99Us: quantile(times, 0.99) };
}
