import { openConnection } from './connection.js';
import { interleave, median, quantile } from './rounds.js';

/** Median latency of sequential PINGs, in µs. */
export async function pings(
  url: string,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<number> {
  const connection = await openConnection(url);
  const run = async (): Promise<number> => {
    const times: number[] = [];
    const until = performance.now() + (seconds / 2) * 1_000;
    while (performance.now() < until) {
      const began = performance.now();
      await connection.send('ping', []);
      times.push((performance.now() - began) * 1_000);
    }
    return quantile(times, 0.5);
  };
  const samples = await interleave([{ name: 'PING', run }], rounds);
  await connection.close();
  return median(samples.get('PING') ?? []);
}
