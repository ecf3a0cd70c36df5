// Keys change without a restart, on the next request. Invented key ids cause at most one request to the issuer in
// thirty seconds. While the issuer is unreachable, tokens with known keys are still accepted.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { jwt } from '../../src/identify/jwt.js';
import {
  ALICE,
  type AskWith,
  bearer,
  claimsWith,
  HOUR_MS,
  KeyServer,
  newKey,
  optionsFor,
  serve,
  sign,
} from './support.js';

/** Look-ups that no test waits for, but those that it sets otherwise. */
const RARE = { refreshMs: HOUR_MS, retryMs: HOUR_MS, renewMs: 30_000, timeoutMs: 5_000 };

/** Asks until the answer is the one that must come. */
async function untilSeen(ask: AskWith, headers: string, expected: unknown): Promise<void> {
  for (;;) {
    const seen = await ask(headers);
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    await delay(5);
  }
}

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

t.test('a rotated key is found by the first token that needs it', async (t) => {
  const [first, second, third] = await Promise.all(['k1', 'k2', 'k3'].map((kid) => newKey('ES256', kid)));
  if (first === undefined || second === undefined || third === undefined) return;
  const server = await KeyServer.start(t, [first.jwk]);
  const identifier = jwt(optionsFor(server.url));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const before = bearer(await sign(first, claimsWith()));
  t.same(await ask(before), ALICE);

  server.keys = [first.jwk, second.jwk];
  t.same(await ask(bearer(await sign(second, claimsWith()))), ALICE, 'the next request');
  t.same(await ask(before), ALICE, 'the old key is still published');
  t.equal(server.requests, 2);

  server.keys = [second.jwk, third.jwk];
  const next = bearer(await sign(third, claimsWith()));
  t.equal(await ask(next), 'credential-invalid', 'a second time within thirty seconds: not asked');
  t.equal(server.requests, 2);
});

t.test('a flood of unknown key ids makes one request, which answers all that wait', async (t) => {
  const [known, next] = await Promise.all([newKey('ES256', 'k1'), newKey('ES256', 'k2')]);
  const server = await KeyServer.start(t, [known.jwk]);
  const identifier = jwt(optionsFor(server.url));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const good = bearer(await sign(known, claimsWith()));
  t.same(await ask(good), ALICE);

  t.equal(await ask(bearer(await sign(await newKey('ES256', 'k1'), claimsWith()))), 'credential-invalid');
  t.equal(server.requests, 1, 'a forged token under a known id makes none');
  server.keys = [known.jwk, next.jwk];
  const unknown = await Promise.all(
    Array.from({ length: 300 }, (_, index) => sign({ ...known, kid: `made-up ${index}` }, claimsWith())),
  );
  const fresh = bearer(await sign(next, claimsWith()));
  const answers = await Promise.all([...unknown.map((token) => ask(bearer(token))), ask(fresh), ask(good)]);
  t.ok(answers.slice(0, 300).every((answer) => answer === 'credential-invalid'));
  t.same(answers.slice(300), [ALICE, ALICE]);
  t.equal(server.requests, 2);
  for (const token of unknown.slice(0, 50)) await ask(bearer(`${token.slice(0, -4)}AAAA`));
  t.equal(server.requests, 2, 'nor one after the other');
});

t.test('after its time, an unknown key id asks again', async (t) => {
  const [first, second] = await Promise.all([newKey('ES256', 'k1'), newKey('ES256', 'k2')]);
  const server = await KeyServer.start(t, [first.jwk]);
  const identifier = jwt(optionsFor(server.url, { times: { ...RARE, renewMs: 40 } }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  t.equal(await ask(bearer(await sign({ ...first, kid: 'x' }, claimsWith()))), 'credential-invalid');
  t.equal(server.requests, 2);
  server.keys = [second.jwk];
  // Another token each time: what was said of one is remembered.
  let answer: unknown = '';
  for (let turn = 0; answer !== 'alice'; turn += 1) {
    answer = await ask(bearer(await sign(second, claimsWith({ jti: String(turn) }))));
    answer = (answer as { user?: string }).user ?? answer;
    await delay(5);
  }
  t.equal(server.requests, 3);
});

t.test('a withdrawn key goes with the next look-up, and with it all that was verified by it', async (t) => {
  const [first, second] = await Promise.all([newKey('ES256', 'k1'), newKey('ES256', 'k2')]);
  const server = await KeyServer.start(t, [first.jwk]);
  const identifier = jwt(optionsFor(server.url, { times: { ...RARE, refreshMs: 20 } }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const remembered = bearer(await sign(first, claimsWith()));
  t.same(await ask(remembered), ALICE);
  server.keys = [second.jwk];
  await untilSeen(ask, remembered, 'credential-invalid');
  t.same(await ask(bearer(await sign(second, claimsWith()))), ALICE);
});

t.test('an issuer in trouble', async (t) => {
  const [key, next] = await Promise.all([newKey('ES256', 'k1'), newKey('ES256', 'k2')]);
  const elsewhere = await KeyServer.start(t, [next.jwk]);
  const troubles: [what: string, answer: NonNullable<KeyServer['answer']>][] = [
    ['an error', (_, response) => response.writeHead(500).end('{"keys":[]}')],
    ['nothing', () => undefined],
    ['a reset', (request) => request.socket.resetAndDestroy()],
    ['half an answer', (_, response) => response.writeHead(200, { 'content-length': '99' }).write('{"keys"')],
    ['no JSON', (_, response) => response.end('<html>')],
    ['JSON that is no key set', (_, response) => response.end('{"keys":{}}')],
    ['far too much', (_, response) => response.end(`{"keys":[],"x":"${'x'.repeat(1_100_000)}"}`)],
    ['a redirect', (_, response) => response.writeHead(302, { location: elsewhere.url }).end()],
  ];
  for (const [what, answer] of troubles) {
    const server = await KeyServer.start(t, [key.jwk]);
    const troubles: unknown[] = [];
    const times = { ...RARE, refreshMs: HOUR_MS, retryMs: 20, timeoutMs: 500 };
    const identifier = jwt(optionsFor(server.url, { times, onTrouble: (error) => troubles.push(error) }));
    t.teardown(() => identifier.close());
    const ask = await serve(t, identifier);
    t.same(await ask(bearer(await sign(key, claimsWith()))), ALICE);
    server.answer = answer;
    const rotated = bearer(await sign(next, claimsWith()));
    t.equal(await ask(rotated), 'identity-unavailable', `${what}: an unknown key may be a new one`);
    t.equal(troubles.length, 1, `${what}: reported to the operator`);
    t.same(await ask(bearer(await sign(key, claimsWith({ jti: '2' })))), ALICE, `${what}: the old keys stay`);
    t.equal(await ask(bearer('x')), 'credential-invalid', `${what}: no key makes this a token`);
    server.answer = undefined;
    server.keys = [next.jwk];
    await untilSeen(ask, rotated, ALICE);
    t.equal(troubles.length, 1, `${what}: reported once`);
  }
});

t.test('an issuer that comes up later than the gateway', async (t) => {
  const key = await newKey('ES256', 'k1');
  const placeholder = await KeyServer.start(t, []);
  const { port, url } = placeholder;
  placeholder.stop();
  const identifier = jwt(optionsFor(url, { times: { ...RARE, retryMs: 20 } }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const good = bearer(await sign(key, claimsWith()));
  t.equal(await ask(good), 'identity-unavailable');
  t.equal(await ask(bearer('x')), 'credential-invalid');
  t.equal(await ask(''), 'none');
  await KeyServer.start(t, [key.jwk], port);
  await untilSeen(ask, good, ALICE);
});

t.test('several keys and no key id: any may be the one', async (t) => {
  const keys = await Promise.all([1, 2, 3].map(() => newKey('ES256', '')));
  const server = await KeyServer.start(
    t,
    keys.map(({ jwk }) => jwk),
  );
  const identifier = jwt(optionsFor(server.url));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  for (const key of keys) t.same(await ask(bearer(await sign(key, claimsWith()))), ALICE);
  t.equal(await ask(bearer(await sign(await newKey('ES256', ''), claimsWith()))), 'credential-invalid');
});

t.test('a key set in a file', async (t) => {
  const [first, second, third] = await Promise.all(['k1', 'k2', 'k3'].map((kid) => newKey('ES256', kid)));
  if (first === undefined || second === undefined || third === undefined) return;
  const folder = folderOf(t);
  const setOf = (...keys: (typeof first)[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
  // As Kubernetes lays out a Secret: the file is a link through a link, which is swapped.
  const publish = (version: string, text: string): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'jwks.json'), text);
    symlinkSync(version, join(folder, '..data_new'));
    renameSync(join(folder, '..data_new'), join(folder, '..data'));
  };
  publish('1', setOf(first));
  symlinkSync('..data/jwks.json', join(folder, 'jwks.json'));
  const troubles: unknown[] = [];
  const file = { jwksFile: join(folder, 'jwks.json') };
  const identifier = jwt(optionsFor('', { keys: file, onTrouble: (error) => troubles.push(error) }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const old = bearer(await sign(first, claimsWith()));
  t.same(await ask(old), ALICE);
  publish('2', setOf(first, second));
  t.same(await ask(bearer(await sign(second, claimsWith()))), ALICE, 'the next request');
  publish('3', '{"keys":[');
  while (troubles.length === 0) await delay(5);
  t.same(
    await ask(bearer(await sign(first, claimsWith({ jti: '2' })))),
    ALICE,
    'half a file changes nothing',
  );
  publish('4', setOf(third));
  await untilSeen(ask, old, 'credential-invalid');
  t.same(await ask(bearer(await sign(third, claimsWith()))), ALICE);
  t.equal(troubles.length, 1);
});

t.test('a shared secret in a file', async (t) => {
  const file = join(folderOf(t), 'secret');
  const secrets = ['one', 'two'].map((word) => `${word} ${'x'.repeat(60)}`);
  const tokenBy = async (secret = ''): Promise<string> => {
    const token = new SignJWT(claimsWith()).setProtectedHeader({ alg: 'HS256' });
    return bearer(await token.sign(Buffer.from(secret)));
  };
  writeFileSync(file, `${secrets[0]}\n`);
  const identifier = jwt(optionsFor('', { keys: { secretFile: file }, algorithms: ['HS256'] }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const old = await tokenBy(secrets[0]);
  t.same(await ask(old), ALICE);
  writeFileSync(`${file}.new`, `${secrets[1]}\n`);
  renameSync(`${file}.new`, file);
  t.same(await ask(await tokenBy(secrets[1])), ALICE, 'the next request');
  t.equal(await ask(old), 'credential-invalid');
});

t.test('unusable keys are reported at start', async (t) => {
  const folder = folderOf(t);
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const hs = { algorithms: ['HS256'] };
  const secret = 'x'.repeat(64);
  t.throws(() => jwt(optionsFor('', { keys: { jwksFile: join(folder, 'none') } })), { code: 'ENOENT' });
  t.throws(() => jwt(optionsFor('', { keys: { jwksFile: write('a', '{') } })), /JSON/);
  t.throws(() => jwt(optionsFor('', { keys: { jwksFile: write('b', '{"keys":1}') } })), /malformed/);
  t.throws(() => jwt(optionsFor('', { keys: { secretFile: join(folder, 'none') }, ...hs })), {
    code: 'ENOENT',
  });
  t.throws(
    () => jwt(optionsFor('', { keys: { secretFile: write('c', `${'x'.repeat(31)}\n`) }, ...hs })),
    /31 bytes/,
  );
  t.throws(() => jwt(optionsFor('', { keys: { secret: ' ' }, ...hs })), /0 bytes/);
  const long = { algorithms: ['HS256', 'HS512'] };
  t.throws(() => jwt(optionsFor('', { keys: { secret: 'x'.repeat(63) }, ...long })), /63 bytes.*at least 64/);
  for (const algorithms of [[], ['ES256'], ['none'], ['HS256', 'RS256']])
    t.throws(() => jwt(optionsFor('', { keys: { secret }, algorithms })), /need a shared secret/);
  for (const algorithms of [[], ['HS256'], ['RS256', 'HS256']])
    t.throws(
      () => jwt(optionsFor('http://127.0.0.1:1/', { algorithms })),
      /other algorithms need public keys/,
    );
});
