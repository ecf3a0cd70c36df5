/** Compares this build with another one in the same rounds. */
import { resolve } from 'node:path';
import { PATH, STRICT, trusted, USERS } from '../gateway/config.js';
import { type Contest, contest, cpuOf, rowOf, tableOf } from '../gateway/contest.js';
import type { Field, Measured } from './measure.js';

export async function against(field: Field, options: Contest, root: string): Promise<Measured> {
  const { redis, strict } = field;
  const other = await field.start({ name: 'other', routes: STRICT, redis: redis.url, root: resolve(root) });
  const spent = trusted('spent');
  for (let user = 0; user < USERS; user += 1) await fetch(strict.url + PATH, { headers: spent(user) });
  const refused = { headersOf: spent, expected: 429 };
  const rows = await contest(
    [
      { name: 'here', server: strict },
      { name: 'other', server: other },
      { name: 'here, refused', server: strict, ...refused },
      { name: 'other, refused', server: other, ...refused },
    ],
    options,
  );
  const remarks = ['', ', refused'].map((suffix) => {
    const [here, there] = ['here', 'other'].map((name) => cpuOf(rowOf(rows, name + suffix))) as [
      number,
      number,
    ];
    return `other / here${suffix}: ${(there / here).toFixed(3)} (${(there - here).toFixed(1)} µs)`;
  });
  return {
    title: `Against ${root}: ${options.connections} connections`,
    table: tableOf(rows),
    aims: [],
    remarks,
  };
}
