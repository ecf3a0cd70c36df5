// A repeated token is accepted from the cache while it is valid; forged tokens do not displace it.
import t, { type Test } from 'tap';
import type { Identity } from '../../src/identify/identifier.js';
import { type JwtIdentifier, jwt } from '../../src/identify/jwt.js';
import {
  ALICE,
  claimsWith,
  KeyServer,
  newKey,
  nowSeconds,
  optionsFor,
  type SigningKey,
  sign,
} from './support.js';

interface Parts {
  readonly key: SigningKey;
  readonly identifier: JwtIdentifier;
  /** The identifier's clock: it stands still between the steps of a test. */
  nowMs: number;
  look(token: string): Identity | undefined | Promise<Identity>;
}

async function start(t: Test): Promise<Parts> {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  const identifier = jwt(optionsFor(server.url, { now: () => parts.nowMs }));
  t.teardown(() => identifier.close());
  const look = (token: string) => identifier.identify({ rawHeaders: ['Authorization', `Bearer ${token}`] });
  const parts: Parts = { key, identifier, nowMs: START_MS, look };
  return parts;
}

const START_MS = nowSeconds() * 1_000;
const EXPIRED = { code: 'credential-invalid', message: 'The token has expired.' };
const INVALID = { code: 'credential-invalid', message: 'The token is not valid.' };

t.test('known at once, until it expires', async (t) => {
  const parts = await start(t);
  const token = await sign(parts.key, claimsWith({ exp: START_MS / 1_000 + 100 }));
  const first = parts.look(token);
  t.ok(first instanceof Promise);
  t.equal(parts.look(token), first, 'one verification for all that wait');
  t.same(await first, ALICE);
  t.same(parts.look(token), ALICE, 'no promise');
  parts.nowMs = START_MS + 102_000;
  t.same(parts.look(token), ALICE, 'the tolerance counts');
  parts.nowMs = START_MS + 106_000;
  await t.rejects(Promise.resolve(parts.look(token)), EXPIRED);
  t.throws(() => parts.look(token), EXPIRED, 'and that is known at once, too');
});

t.test('verified again after five minutes', async (t) => {
  const parts = await start(t);
  const token = await sign(parts.key, claimsWith());
  await parts.look(token);
  parts.nowMs = START_MS + 290_000;
  t.notOk(parts.look(token) instanceof Promise);
  parts.nowMs = START_MS + 301_000;
  const again = parts.look(token);
  t.ok(again instanceof Promise);
  t.same(await again, ALICE);
});

t.test('a refusal is remembered for a short time only', async (t) => {
  const parts = await start(t);
  const forged = await sign(await newKey('ES256', 'k1'), claimsWith());
  const first = parts.look(forged);
  t.equal(parts.look(forged), first);
  await t.rejects(Promise.resolve(first), INVALID);
  t.throws(() => parts.look(forged), INVALID, 'at once');
  parts.nowMs = START_MS + 6_000;
  await t.rejects(Promise.resolve(parts.look(forged)), INVALID);
});

t.test('a token that is not valid yet is valid when its time has come', async (t) => {
  const parts = await start(t);
  const early = await sign(parts.key, claimsWith({ nbf: START_MS / 1_000 + 7 }));
  await t.rejects(Promise.resolve(parts.look(early)), INVALID);
  parts.nowMs = START_MS + 3_000;
  t.same(await parts.look(early), ALICE);
});

t.test('a flood of forged tokens pushes out no good one', async (t) => {
  const parts = await start(t);
  const token = await sign(parts.key, claimsWith());
  await parts.look(token);
  const cut = token.lastIndexOf('.') + 1;
  let refused = 0;
  for (let index = 0; index < 1_500; index += 1) {
    const forged = `${token.slice(0, cut)}${index.toString().padStart(86, 'A')}`;
    await Promise.resolve(parts.look(forged)).catch(() => {
      refused += 1;
    });
  }
  t.equal(refused, 1_500);
  t.same(parts.look(token), ALICE, 'known at once');
});
