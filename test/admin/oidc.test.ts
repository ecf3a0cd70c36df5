// Admins with a token of the company's identity provider: a real one, asked over HTTP.
import { setTimeout as delay } from 'node:timers/promises';
import { importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import t, { type Test } from 'tap';
import type { OidcRules } from '../../src/admin/access/oidc.js';
import { ROLES } from '../../src/admin/access/roles.js';
import { createOrg } from '../../src/admin/index.js';
import { startGateway } from '../support/gateway.js';
import { AUDIENCE, OidcServer } from '../support/oidc.js';
import { REQUESTS, seedAll, tokenOf, tracesOf } from './requests.js';
import { ACME, type Answer, bearer, problem, QUOTAS, type Send, startAdmin } from './support.js';

const RENEW_MS = 60;

const GRANTS: OidcRules['grants'] = [
  { claim: 'groups', value: 'quota-admins', role: 'admin', orgs: 'all' },
  { claim: 'groups', value: 'acme-managers', role: 'quota-manager', orgs: ['acme'] },
  { claim: 'groups', value: 'globex-managers', role: 'quota-manager', orgs: ['globex'] },
  ...ROLES.map((role) => ({ claim: '/quota/role', value: role, role, orgs: { claim: '/quota/orgs' } })),
  ...ROLES.map((role) => ({ claim: '/quota/everywhere', value: role, role, orgs: 'all' as const })),
];

const provider = await OidcServer.start(t);
const troubles: unknown[] = [];
const rules: OidcRules = {
  issuer: provider.issuer,
  audience: AUDIENCE,
  algorithms: ['RS256'],
  clockToleranceSeconds: 5,
  refreshSeconds: 300,
  claims: { subject: 'sub', name: 'email' },
  grants: GRANTS,
  onTrouble: (error) => troubles.push(error),
  times: { refreshMs: 3_600_000, retryMs: 20, renewMs: RENEW_MS, timeoutMs: 10_000 },
};

async function start(t: Test) {
  provider.claims = {};
  const bench = await startAdmin(t, undefined, { oidc: rules });
  for (const id of ['acme', 'globex']) await createOrg(bench.ledger, { id, seed: ACME, quotas: QUOTAS });
  const tokenWith = (claims: Record<string, unknown>): Promise<string> => {
    provider.claims = claims;
    return provider.token();
  };
  const audit = async (action: string) =>
    (await bench.send('GET', `/audit?action=${action}&pageSize=200`)).body.items;
  return { ...bench, tokenWith, audit };
}

async function orgsFor(send: Send, token: string): Promise<unknown> {
  const { status, body } = await send('GET', '/orgs', undefined, bearer(token));
  return status === 200 ? body.items.map(({ id }: { readonly id: string }) => id) : status;
}

t.test('claims grant a role and orgs; the subject is the actor of the audit log', async (t) => {
  const { send, tokenWith } = await start(t);
  const admin = await tokenWith({ groups: ['staff', 'quota-admins'], email: 'ana@example.com' });
  t.same(await orgsFor(send, admin), ['acme', 'globex']);
  const seats = await send(
    'PATCH',
    '/orgs/acme/users/ann',
    { name: 'Anna', reason: 'wedding' },
    bearer(admin),
  );
  t.equal(seats.status, 200);
  const [entry] = (await send('GET', '/orgs/acme/audit')).body.items;
  t.match(entry, { action: 'user.change', who: 'ana@example.com (oidc:machine)', reason: 'wedding' });
  const manager = await tokenWith({ groups: 'acme-managers globex-managers' });
  t.same(await orgsFor(send, manager), ['acme', 'globex'], 'grants of one role add up');
  t.same(problem(await send('GET', '/tokens', undefined, bearer(manager))), [403, 'token-forbidden']);
  const viewer = await tokenWith({ quota: { role: 'viewer', orgs: ['globex', 'bad id', 7] } });
  t.same(await orgsFor(send, viewer), ['globex']);
  t.same(problem(await send('GET', '/orgs/acme', undefined, bearer(viewer))), [404, 'not-found']);
});

t.test('a token that is not granted anything is a failed login, as any other', async (t) => {
  const { send, tokenWith, audit } = await start(t);
  const valid = await tokenWith({ groups: ['quota-admins'] });
  const { payload, sign } = await forger(valid);
  const wrong: Record<string, string> = {
    'no claim': await tokenWith({}),
    'a role that no grant names': await tokenWith({ groups: ['quota-admin', 'staff'] }),
    'a claim of another type': await tokenWith({ groups: { 'quota-admins': true } }),
    'no org': await tokenWith({ quota: { role: 'admin' } }),
    'no valid org': await tokenWith({ quota: { role: 'admin', orgs: ['*tokens*', ''] } }),
    'another issuer': await sign({ ...payload, iss: `${provider.issuer}/` }),
    'another audience': await sign({ ...payload, aud: 'quotagate-staging' }),
    'no audience': await sign({ ...payload, aud: undefined }),
    expired: await sign({ ...payload, exp: Math.floor(Date.now() / 1_000) - 10 }),
    'no expiry': await sign({ ...payload, exp: undefined }),
    'not valid yet': await sign({ ...payload, nbf: Math.floor(Date.now() / 1_000) + 60 }),
    'alg none': new UnsecuredJWT(payload).encode(),
    'HS256 with the public key': await sign(payload, 'HS256'),
    'another algorithm of the same key': await sign(payload, 'RS512'),
    'changed claims': changed(valid),
  };
  const forged = await send('GET', '/orgs', undefined, bearer('qga_AAAAAAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBB'));
  for (const [what, token] of Object.entries(wrong)) {
    const before = (await audit('login.fail')).length;
    const answer = await send('GET', '/orgs', undefined, bearer(token));
    t.same(shape(answer), shape(forged), what);
    const entries = await audit('login.fail');
    t.equal(entries.length, before + 1, `${what}: one entry`);
    t.match(entries[0], { who: 'unknown', subject: 'peer:127.0.0.1' }, what);
  }
  const reasons = (await audit('login.fail')).map(({ reason }: { readonly reason: string }) => reason);
  t.ok(reasons.includes('No grant matches the claims of oidc:machine'));
  t.ok(reasons.includes('The token has expired.'));
  t.same(await orgsFor(send, valid), ['acme', 'globex'], 'the genuine one is accepted');
});

t.test('every refusal and every read of the role table holds for OIDC callers', async (t) => {
  const bench = await start(t);
  const there = await seedAll(bench);
  let cells = 0;
  for (const role of ROLES)
    for (const scope of ['own', 'elsewhere', 'all'] as const) {
      const orgs = [scope === 'own' ? there.org : 'globex'];
      const quota = scope === 'all' ? { everywhere: role } : { role, orgs };
      const oidc = await bench.tokenWith({ quota });
      const { text } = await tokenOf(bench.ledger, role, scope === 'all' ? 'all' : orgs);
      const before = await tracesOf(bench.ledger, there.org);
      for (const { name, path, body, may, reads } of REQUESTS) {
        const [method = ''] = name.split(' ');
        const isRefused = !may.includes(role.charAt(0)) || (scope === 'elsewhere' && name.includes('/:org'));
        if (method !== 'GET' && reads !== true && !isRefused) continue;
        const ask = async (token: string) => {
          const answer = await bench.send(method, path(there), body?.(there), bearer(token));
          return [answer.status, answer.body?.code];
        };
        const [one, other] = await Promise.all([ask(oidc), ask(text)]);
        if (String(one) !== String(other)) t.same(one, other, `${name} by ${role}, ${scope}`);
        cells += 1;
      }
      t.same(await tracesOf(bench.ledger, there.org), before, `${role}, ${scope}: nothing is changed`);
    }
  t.ok(cells > 800, `${cells} cells`);
});

t.test('keys rotate; while the provider is down, known keys go on and unknown ones get 503', async (t) => {
  const { send, tokenWith, audit } = await start(t);
  const before = await tokenWith({ groups: ['quota-admins'] });
  t.same(await orgsFor(send, before), ['acme', 'globex']);
  await provider.rotate();
  const after = await tokenWith({ groups: ['quota-admins'] });
  await delay(RENEW_MS);
  t.same(await orgsFor(send, after), ['acme', 'globex'], 'a new key is found by discovery');
  t.equal(await orgsFor(send, before), 401, 'a withdrawn key is no longer accepted');
  const reported = troubles.length;
  provider.isDown = true;
  t.teardown(() => {
    provider.isDown = false;
  });
  const failed = (await audit('login.fail')).length;
  const { payload, sign } = await forger(after);
  t.same(await orgsFor(send, await sign({ ...payload, jti: 'another' })), ['acme', 'globex'], 'a known key');
  await delay(RENEW_MS);
  const unknown = await sign(payload, 'RS256', 'unknown');
  const refused = await send('GET', '/orgs', undefined, bearer(unknown));
  t.same(problem(refused), [503, 'identity-unavailable']);
  t.equal((await audit('login.fail')).length, failed, 'it may be a new key: no failed login');
  t.equal(troubles.length, reported + 1, 'reported once');
  provider.isDown = false;
  await delay(2 * RENEW_MS);
  t.equal(await orgsFor(send, unknown), 401);
  const [asked, begunAt] = [provider.keyRequests, performance.now()];
  for (let count = 0; count < 20; count += 1)
    t.equal(await orgsFor(send, await sign(payload, 'RS256', `invented-${count}`)), 401);
  const most = 1 + (performance.now() - begunAt) / RENEW_MS;
  t.ok(provider.keyRequests - asked <= most, 'invented keys do not reach the provider each');
});

t.test('a provider that is down at the start delays nothing; tokens get 503 until it answers', async (t) => {
  provider.isDown = true;
  t.teardown(() => {
    provider.isDown = false;
  });
  const { send } = await start(t);
  const token = 'e30.e30.e30';
  t.same(problem(await send('GET', '/orgs', undefined, bearer(token))), [503, 'identity-unavailable']);
  t.equal((await send('GET', '/orgs')).status, 200, 'admin tokens do not need it');
  provider.isDown = false;
  await delay(100);
  t.same(problem(await send('GET', '/orgs', undefined, bearer(token))), [401, 'token-invalid']);
});

t.test('the config names the provider', async (t) => {
  const oidc = {
    issuer: provider.issuer,
    audience: AUDIENCE,
    grants: [{ claim: 'groups', value: 'quota-admins', role: 'admin', orgs: 'all' }],
  };
  const gateway = await startGateway({
    upstream: 'http://127.0.0.1:9',
    orgs: '  acme: { cycle: { every: month, anchor: 1, timeZone: UTC }, plans: { usage: { allowance: 5 } } }',
    quotas: `admin: { oidc: ${JSON.stringify(oidc)} }`,
  });
  t.teardown(() => gateway.close());
  provider.claims = { groups: ['quota-admins'] };
  const ask = async (token: string) =>
    (await fetch(`http://${gateway.admin}/v1/orgs`, { headers: bearer(token) })).status;
  t.equal(await ask(await provider.token()), 200);
  provider.claims = {};
  t.equal(await ask(await provider.token()), 401);
});

/** Everything of a refusal but its id. */
function shape({ status, body, headers }: Answer) {
  return { status, body: { ...body, instance: '' }, challenge: headers.get('www-authenticate') };
}

/** Signs with the provider's own key, or in its name. */
async function forger(token: string) {
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload;
  const { n, e, kty } = provider.key;
  const publicKey = Buffer.from(JSON.stringify({ kty, n, e }));
  const sign = async (claims: Record<string, unknown>, alg = 'RS256', kid = provider.key.kid) => {
    const key = alg === 'HS256' ? publicKey : await importJWK({ ...provider.key, alg }, alg);
    const present = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    return new SignJWT(present).setProtectedHeader({ alg, kid: kid ?? '' }).sign(key);
  };
  return { payload, sign };
}

/** With the signature of the genuine token. */
function changed(token: string): string {
  const [head, body, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString());
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url');
  return [head, other, signature].join('.');
}
