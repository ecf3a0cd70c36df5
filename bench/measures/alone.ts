/** One connection: the latency that a decision adds, in round trips of a plain PING. */

import { type Contest, contest, rowOf, tableOf } from '../gateway/contest.js';
import { openConnection } from '../lib/connection.js';
import { interleave, median, quantile } from '../lib/rounds.js';
import type { Field, Measured } from './measure.js';

export async function alone(field: Field, options: Omit<Contest, 'connections'>): Promise<Measured> {
  const servers = [field.plain, field.strict, field.embedded];
  const rows = await contest(
    servers.map((server) => ({ server })),
    { ...options, connections: 1, warm: true },
  );
  const pingUs = await pings(field.redis.url, options);
  const base = rowOf(rows, field.plain.name).p50Us;
  const aims = servers.slice(1, 2).map(({ name }) => ({
    text: `${name}: p50 adds`,
    measured: (rowOf(rows, name).p50Us - base) / pingUs,
    most: 2.5,
    unit: ' PING',
  }));
  return {
    title: '1 connection',
    table: tableOf(rows, field.plain.name),
    aims,
    remarks: [`a plain PING through the same client: p50 ${pingUs.toFixed(0)} µs`],
  };
}

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
