/** Two request paths that must be cheap: a refusal, and a JWT that is in the cache. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { type HeadersOf, PATH, STRICT, trusted, USERS } from '../gateway/config.js';
import { type Contest, contest, cpuOf, rowOf, tableOf } from '../gateway/contest.js';
import type { Field, Measured } from './measure.js';

const SECRET = 'a secret of the bench, and of nothing else';

export async function paths(field: Field, options: Contest): Promise<Measured> {
  const file = join(field.folder, 'jwt-secret');
  writeFileSync(file, SECRET);
  const identity = `jwt: { secret: { file: ${JSON.stringify(file)} }, issuer: bench, audience: quotagate, algorithms: [HS256] }`;
  const server = await field.start({
    name: 'with tokens',
    routes: STRICT,
    redis: field.redis.url,
    identity,
  });
  const spent = trusted('spent');
  await Promise.all(
    Array.from({ length: USERS }, (_, user) => fetch(server.url + PATH, { headers: spent(user) })),
  );
  const rows = await contest(
    [
      { name: 'admitted', server },
      { name: 'admitted by a token', server, headersOf: await tokens() },
      { name: 'refused', server, headersOf: spent, expected: 429 },
    ],
    options,
  );
  const [admitted, token, refused] = ['admitted', 'admitted by a token', 'refused'].map((name) =>
    cpuOf(rowOf(rows, name)),
  ) as [number, number, number];
  return {
    title: 'Refused, and by token: 64 connections',
    table: tableOf(rows),
    aims: [
      {
        text: 'a refused request: CPU of an admitted one',
        measured: refused / admitted,
        most: 0.5,
        unit: '×',
      },
      { text: 'a token adds', measured: token - admitted, most: 3, unit: ' µs' },
    ],
  };
}

async function tokens(): Promise<HeadersOf> {
  const key = new TextEncoder().encode(SECRET);
  const made = Array.from({ length: USERS }, (_, user) =>
    new SignJWT({ org_id: 'bench' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(`u${user}`)
      .setIssuer('bench')
      .setAudience('quotagate')
      .setExpirationTime('1h')
      .sign(key),
  );
  const all = await Promise.all(made);
  return (user) => ({ authorization: `Bearer ${all[user]}` });
}
