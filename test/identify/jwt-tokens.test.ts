// A token is accepted only if the issuer signed it with a pinned algorithm, for this gateway, and for the present time.
import { createHmac } from 'node:crypto';
import { CompactEncrypt, type CryptoKey, exportSPKI, importJWK, type JWTPayload } from 'jose';
import t from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import { jwt } from '../../src/identify/jwt.js';
import {
  ALICE,
  AUDIENCE,
  bearer,
  claimsWith,
  ISSUER,
  KeyServer,
  newKey,
  nowSeconds,
  optionsFor,
  serve,
  sign,
} from './support.js';

const PUBLIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const SECRET = 'a secret of the issuer and this gateway: at least sixty-four bytes long';

const base64 = (what: unknown): string =>
  Buffer.from(typeof what === 'string' ? what : JSON.stringify(what)).toString('base64url');

/** Signed by a secret, whatever the header says. */
function signed(header: object, claims: unknown, secret: string | Buffer, hash = 'sha256'): string {
  const text = `${base64(header)}.${base64(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

t.test('each algorithm, with the public keys of a URL', async (t) => {
  const keys = await Promise.all(PUBLIC.map((alg) => newKey(alg, `key of ${alg}`)));
  const server = await KeyServer.start(
    t,
    keys.map(({ jwk }) => jwk),
  );
  for (const key of keys) {
    const identifier = jwt(optionsFor(server.url, { algorithms: [key.alg] }));
    t.teardown(() => identifier.close());
    const ask = await serve(t, identifier);
    t.same(await ask(bearer(await sign(key, claimsWith()))), ALICE, key.alg);
    const other = keys.find(({ alg }) => alg !== key.alg) ?? key;
    t.equal(
      await ask(bearer(await sign(other, claimsWith()))),
      'credential-invalid',
      `${other.alg} is not pinned`,
    );
  }
});

t.test('each algorithm, with a shared secret', async (t) => {
  for (const bits of ['256', '384', '512']) {
    const identifier = jwt(optionsFor('', { keys: { secret: SECRET }, algorithms: [`HS${bits}`] }));
    const ask = await serve(t, identifier);
    const header = { alg: `HS${bits}` };
    t.same(await ask(bearer(signed(header, claimsWith(), SECRET, `sha${bits}`))), ALICE, bits);
    const forged = signed(header, claimsWith(), `${SECRET}!`, `sha${bits}`);
    t.equal(await ask(bearer(forged)), 'credential-invalid', `${bits}, another secret`);
    const other = bits === '256' ? '384' : '256';
    const weaker = signed({ alg: `HS${other}` }, claimsWith(), SECRET, `sha${other}`);
    t.equal(await ask(bearer(weaker)), 'credential-invalid', `HS${other} is not pinned`);
  }
});

t.test('forged and malformed tokens', async (t) => {
  const [key, rsa, stranger, none, weak] = await Promise.all([
    newKey('ES256', 'k1'),
    newKey('RS256', 'k2'),
    newKey('ES256', 'k1'),
    newKey('ES256', ''),
    crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 1024,
        publicExponent: Buffer.from([1, 0, 1]),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify'],
    ),
  ]);
  const weakJwk = { ...(await crypto.subtle.exportKey('jwk', weak.publicKey)), kid: 'weak', alg: 'RS256' };
  const server = await KeyServer.start(t, [key.jwk, rsa.jwk, weakJwk as typeof key.jwk]);
  const identifier = jwt(optionsFor(server.url, { algorithms: ['ES256', 'RS256'] }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);

  const good = await sign(key, claimsWith());
  t.same(await ask(bearer(good)), ALICE);
  t.same(await ask(bearer(await sign(rsa, claimsWith()))), ALICE, 'two algorithms of one kind');
  const kidless = { ...key, kid: '' };
  t.same(await ask(bearer(await sign(kidless, claimsWith()))), ALICE, 'one key fits, so no id is needed');

  const [head = '', body = '', signature = ''] = good.split('.');
  const swap = (text: string, at: number) =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const publicPem = await exportSPKI((await importJWK(rsa.jwk)) as CryptoKey);
  const hmac = { alg: 'HS256', kid: 'k2' };
  const own = await newKey('ES256', 'k1');
  const sealed = await new CompactEncrypt(Buffer.from(JSON.stringify(claimsWith())))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(Buffer.alloc(32));
  const weakToken = await signWeakly(weak.privateKey, claimsWith());
  const forged: [what: string, token: string][] = [
    ['another body', `${head}.${base64(claimsWith({ sub: 'bob' }))}.${signature}`],
    ['another signature', `${head}.${body}.${swap(signature, 3)}`],
    ['a signature cut short', `${head}.${body}.${signature.slice(0, -4)}`],
    ['a stranger’s key under a known id', await sign(stranger, claimsWith())],
    ['a stranger’s key without an id', await sign(none, claimsWith())],
    ['an unknown key id', await sign({ ...key, kid: 'k9' }, claimsWith())],
    ['the id of a key of another kind', await sign({ ...key, kid: 'k2' }, claimsWith())],
    ['unsigned', `${head}.${body}.`],
    ['unsigned, without the last dot', `${head}.${body}`],
    ['alg none', `${base64({ alg: 'none' })}.${body}.`],
    ['alg none, with a signature', `${base64({ alg: 'none', kid: 'k1' })}.${body}.${signature}`],
    ['alg NONE', `${base64({ alg: 'NONE', kid: 'k1' })}.${body}.${signature}`],
    ['no alg', `${base64({ kid: 'k1' })}.${body}.${signature}`],
    ['alg as a list', `${base64({ alg: ['ES256'], kid: 'k1' })}.${body}.${signature}`],
    ['HMAC by the public key, PEM', signed(hmac, claimsWith(), publicPem)],
    ['HMAC by the public key, PEM without its last line end', signed(hmac, claimsWith(), publicPem.trim())],
    ['HMAC by the public key, JSON', signed(hmac, claimsWith(), JSON.stringify(rsa.jwk))],
    ['HMAC by the modulus', signed(hmac, claimsWith(), Buffer.from(rsa.jwk.n ?? '', 'base64url'))],
    ['HMAC by nothing', signed({ alg: 'HS256', kid: 'k1' }, claimsWith(), '')],
    ['its own key in the header', await sign(own, claimsWith(), { jwk: own.jwk })],
    [
      'the place of its own keys in the header',
      await sign(own, claimsWith(), { jku: 'http://127.0.0.1:1/' }),
    ],
    [
      'an extension that must be understood',
      await signRaw(key, { alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 }),
    ],
    [
      'a body that is not encoded',
      await signRaw(key, { alg: 'ES256', kid: 'k1', crit: ['b64'], b64: false }),
    ],
    ['a key that is too weak', weakToken],
    ['encrypted', sealed],
    ['a body that is no JSON', await signRaw(key, { alg: 'ES256', kid: 'k1' }, 'hello')],
    ['a body that is a list', await signRaw(key, { alg: 'ES256', kid: 'k1' }, '[]')],
    ['a body that is null', await signRaw(key, { alg: 'ES256', kid: 'k1' }, 'null')],
    ['a header that is no JSON', `${base64('hello')}.${body}.${signature}`],
    ['a header that is a list', `${base64('[]')}.${body}.${signature}`],
    ['malformed base64 in the header', `${head}!.${body}.${signature}`],
    ['malformed base64 in the body', `${head}.${body}=.${signature}`],
    ['malformed base64 in the signature', `${head}.${body}.${signature}+`],
    ['base64 of an impossible length', `${head}.${body}.A`],
    ['a part too many', `${good}.A`],
    ['dots', '..'],
    ['no dots', 'token'],
    ['a quoted token', `"${good}"`],
    ['two tokens', `${good} ${good}`],
    ['two tokens in a list', `${good}, ${good}`],
    ['a token of 20,000 letters', await sign(key, claimsWith({ filler: 'x'.repeat(15_000) }))],
  ];
  for (const [what, token] of forged) {
    t.equal(await ask(bearer(token)), 'credential-invalid', what);
    t.equal(await ask(bearer(token)), 'credential-invalid', `${what}, again`);
  }
  t.equal(server.requests, 2, 'at the start, and once for the unknown key ids');
});

/** Signs any header and body by an ES256 key: what no library would make. */
async function signRaw(
  { privateKey }: { privateKey: CryptoKey },
  header: object,
  body = JSON.stringify(claimsWith()),
): Promise<string> {
  const encoded = (header as { b64?: boolean }).b64 === false ? body.replaceAll('.', '') : base64(body);
  const text = `${base64(header)}.${encoded}`;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    privateKey,
    Buffer.from(text),
  );
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

async function signWeakly(privateKey: CryptoKey, claims: JWTPayload): Promise<string> {
  const text = `${base64({ alg: 'RS256', kid: 'weak' })}.${base64(claims)}`;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

t.test('for whom, by whom and for when', async (t) => {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  const now = nowSeconds();
  const identifier = jwt(optionsFor(server.url, { now: () => now * 1_000 }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const cases: [what: string, claims: Record<string, unknown>, expected: unknown][] = [
    ['one audience of several', { aud: ['other', AUDIENCE] }, ALICE],
    ['expired a moment ago, as our clock says', { exp: now - 4 }, ALICE],
    ['expired', { exp: now - 60 }, 'credential-invalid'],
    ['expired in 1970', { exp: 0 }, 'credential-invalid'],
    ['no expiry', { exp: undefined }, 'credential-invalid'],
    ['an expiry that is text', { exp: String(now + 60) }, 'credential-invalid'],
    ['an expiry that is null', { exp: null }, 'credential-invalid'],
    ['valid from a moment on, as our clock says', { nbf: now + 5 }, ALICE],
    ['not valid yet', { nbf: now + 600 }, 'credential-invalid'],
    ['another issuer', { iss: `${ISSUER}/` }, 'credential-invalid'],
    ['the issuer in a list', { iss: [ISSUER] }, 'credential-invalid'],
    ['no issuer', { iss: undefined }, 'credential-invalid'],
    ['another audience', { aud: 'quotagate2' }, 'credential-invalid'],
    ['other audiences', { aud: ['a', 'b'] }, 'credential-invalid'],
    ['no audience', { aud: undefined }, 'credential-invalid'],
    ['an empty audience', { aud: [] }, 'credential-invalid'],
  ];
  for (const [what, claims, expected] of cases)
    t.same(await ask(bearer(await sign(key, claimsWith(claims)))), expected, what);
});

t.test('a refusal reveals only that a genuine token has expired', async (t) => {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  const identifier = jwt(optionsFor(server.url));
  t.teardown(() => identifier.close());
  const detailOf = async (token: string): Promise<string> => {
    try {
      await identifier.identify({ rawHeaders: ['authorization', `Bearer ${token}`] });
      return '';
    } catch (error) {
      return error instanceof ProblemError ? error.message : String(error);
    }
  };
  const stranger = await newKey('ES256', 'k1');
  const past = claimsWith({ exp: nowSeconds() - 60 });
  t.equal(await detailOf(await sign(key, past)), 'The token has expired.');
  t.equal(await detailOf(await sign(stranger, past)), 'The token is not valid.');
  t.equal(await detailOf(await sign(key, claimsWith({ aud: 'x' }))), 'The token is not valid.');
  t.equal(await detailOf('x'), 'The token is not valid.');
});

t.test('how the header is written', async (t) => {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  const identifier = jwt(optionsFor(server.url));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const good = await sign(key, claimsWith());
  const bob = await sign(key, claimsWith({ sub: 'bob' }));
  const cases: [what: string, headers: string, expected: unknown][] = [
    ['lower case', `authorization: bearer ${good}\r\n`, ALICE],
    ['upper case', `AUTHORIZATION: BEARER ${good}\r\n`, ALICE],
    ['more spaces', `Authorization:  Bearer   ${good} \r\n`, ALICE],
    ['no header', '', 'none'],
    ['another scheme', 'Authorization: Basic YTpi\r\n', 'none'],
    ['no scheme', `Authorization: ${good}\r\n`, 'none'],
    ['no token', 'Authorization: Bearer\r\n', 'none'],
    ['an API key, which another identifier judges', 'Authorization: Bearer qg_acme_1_secret\r\n', 'none'],
    ['two of them', bearer(good) + bearer(bob), 'identity-invalid'],
    ['the same twice', bearer(good) + bearer(good), 'identity-invalid'],
    ['two schemes', `Authorization: Basic YTpi\r\n${bearer(good)}`, 'identity-invalid'],
    ['an empty one before', `Authorization:\r\n${bearer(good)}`, 'identity-invalid'],
    ['Connection names it', `${bearer(good)}Connection: close, Authorization\r\n`, 'identity-invalid'],
    ['in another header', `X-Authorization: Bearer ${good}\r\n`, 'none'],
    ['in a cookie', `Cookie: authorization=${good}\r\n`, 'none'],
  ];
  for (const [what, headers, expected] of cases) t.same(await ask(headers), expected, what);

  t.same(identifier.headers, ['authorization']);
});

t.test('another header', async (t) => {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  const identifier = jwt(optionsFor(server.url, { header: 'x-id-token' }));
  t.teardown(() => identifier.close());
  const ask = await serve(t, identifier);
  const good = await sign(key, claimsWith());
  t.same(identifier.headers, ['x-id-token']);
  t.same(await ask(`X-Id-Token: ${good}\r\n`), ALICE);
  t.same(await ask(`X-Id-Token: Bearer ${good}\r\n`), ALICE);
  t.same(await ask(bearer(good)), 'none');
  t.same(await ask(`X-Id-Token: ${good}\r\nAuthorization: Bearer x\r\n`), ALICE);
  t.equal(
    await ask(`X-Id-Token: ${good}\r\nX_Id_Token: ${good}\r\n`),
    'identity-invalid',
    'an underscore twin',
  );
  t.equal(await ask(`X_Id_Token: ${good}\r\n`), 'identity-invalid', 'an underscore twin alone');
  t.equal(await ask('X-Id-Token:\r\n'), 'credential-invalid');
});
