// A JWT charges the user and org that it names and is never forwarded; a refused token charges nobody.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { buildApp } from '../../src/app/app.js';
import { loadConfig } from '../../src/config/load.js';
import { claimsWith, ISSUER, KeyServer, newKey, type SigningKey, sign } from '../identify/support.js';
import { as, ask, configText } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 } }
    groups: { ml: {}, ops: {} }
    limits: [{ group: ml, quota: usage, units: 15 }]
  globex:
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 } }
`;

interface Gateway {
  readonly gateway: string;
  readonly upstream: TestUpstream;
  readonly key: SigningKey;
  readonly server: KeyServer;
  tokenFor(claims?: Record<string, unknown>): Promise<Record<string, string>>;
  /** Units of `usage` that the user has consumed, as `/quota/me` reports it. */
  consumed(org: string, user: string): Promise<unknown>;
}

/** `identity`: further identity settings. The upstream gets its own credential. */
async function start(t: Test, identity = ''): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-'));
  const upstream = await TestUpstream.start();
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  writeFileSync(join(folder, 'credential'), 'Bearer of-the-upstream\n');
  const setHeaders = {
    authorization: { file: join(folder, 'credential') },
    'x-area': { env: 'AREA' },
    'x-plain': 'p',
  };
  const text = configText({ data: join(folder, 'data'), upstream: upstream.url, orgs: ORGS }).replace(
    /identity:\n[\s\S]*?(?=^quotas:)/m,
    `identity:
  ${identity}
  jwt:
    jwksUrl: ${server.url}
    issuer: ${ISSUER}
    audience: quotagate
    algorithms: [ES256]
    claims: { groups: groups }
`,
  );
  const config = loadConfig(
    text.replace(
      /^upstreams:.*$/m,
      `upstreams: ${JSON.stringify({ up: { url: upstream.url, setHeaders } })}`,
    ),
    {},
  );
  const app = await buildApp({
    config,
    logger: pino({ level: 'silent' }),
    environment: { AREA: 'eu' },
  });
  const addresses = await app.listen();
  t.teardown(async () => {
    await app.close();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  const tokenFor = async (claims?: Record<string, unknown>) => ({
    authorization: `Bearer ${await sign(key, claimsWith(claims))}`,
  });
  return {
    gateway: addresses.gateway,
    upstream,
    key,
    server,
    tokenFor,
    async consumed(org, user) {
      const headers = await tokenFor({ org_id: org, sub: user });
      const { body } = await ask(addresses.gateway, '/quota/me', { headers });
      return (JSON.parse(body) as { quotas: { usage: { consumed: number } } }).quotas.usage.consumed;
    },
  };
}

t.test('a token pays for the user and org that it names', async (t) => {
  const { gateway, upstream, tokenFor, consumed } = await start(t);
  const headers = await tokenFor();
  const first = await ask(gateway, '/v3/maps/1', { headers });
  t.equal(first.status, 200);
  t.equal((await ask(gateway, '/v3/maps/1', { headers })).status, 200, 'from the cache');
  t.equal(await consumed('acme', 'alice'), 0.2);

  const [seen] = upstream.log;
  t.equal(seen?.headers.authorization, 'Bearer of-the-upstream', 'the upstream’s own credential');
  t.match(seen?.headers, { 'x-area': 'eu', 'x-plain': 'p' });
  t.notOk(
    JSON.stringify(seen?.rawHeaders).includes(headers.authorization ?? ''),
    'the token is not forwarded',
  );

  const body = JSON.stringify({ addresses: ['a', 'b'] });
  const bob = { ...(await tokenFor({ sub: 'bob' })), 'content-type': 'application/json' };
  const rows = await ask(gateway, '/v3/lds/geocoding', { method: 'POST', headers: bob, body });
  t.equal(rows.status, 200, 'the body arrives while the token is verified');
  t.equal(upstream.log[2]?.body, body);

  const me = await ask(gateway, '/quota/me', { headers: bob });
  t.match(JSON.parse(me.body), { org: 'acme', user: 'bob', quotas: { lds: { consumed: 2 } } });
});

t.test('no other header, query or cookie changes who is charged', async (t) => {
  const { gateway, tokenFor, consumed } = await start(t);
  const headers = {
    ...(await tokenFor({ org_id: 'globex', sub: 'gil' })),
    ...as('alice', 'acme'),
    cookie: 'org_id=acme',
    'x-org-id': 'acme',
  };
  t.equal((await ask(gateway, '/v3/maps/1?org_id=acme&sub=alice', { headers })).status, 200);
  t.equal(await consumed('globex', 'gil'), 0.1);
  t.equal(await consumed('acme', 'alice'), 0);
  t.equal(
    (await ask(gateway, '/v3/maps/1', { headers: as('alice', 'acme') })).status,
    401,
    'no token, no identity',
  );
});

t.test('groups claimed by the token count if they exist', async (t) => {
  const { gateway, tokenFor } = await start(t);
  const headers = await tokenFor({ groups: ['ml', 'unknown'] });
  t.equal((await ask(gateway, '/v3/sql', { headers })).status, 200);
  const other = await ask(gateway, '/v3/sql', { headers: await tokenFor({ sub: 'bob', groups: 'ml' }) });
  t.equal(other.status, 429);
  t.match(JSON.parse(other.body), { scope: 'group', subject: 'ml' });
  t.equal((await ask(gateway, '/v3/sql', { headers: await tokenFor({ sub: 'bob' }) })).status, 200);
});

t.test('a refused token gets its error code, causes no charge and is not forwarded', async (t) => {
  const { gateway, upstream, key, server, tokenFor, consumed } = await start(t);
  t.equal((await ask(gateway, '/v3/maps/1', { headers: await tokenFor() })).status, 200);
  const stranger = await newKey('ES256', 'k1');
  const challenge = 'Bearer realm="quotagate", error="invalid_token"';
  const many = Array.from({ length: 65 }, (_, index) => `g${index}`);
  const cases: [what: string, token: string, status: number, code: string, challenge?: string][] = [
    ['forged', await sign(stranger, claimsWith()), 401, 'credential-invalid', challenge],
    ['expired', await sign(key, claimsWith({ exp: 1 })), 401, 'credential-invalid', challenge],
    ['malformed', 'a.b', 401, 'credential-invalid', challenge],
    ['of another kind', 'qg_acme_1_secret', 401, 'identity-missing', 'QuotaGate realm="quotagate"'],
    ['without an org', await sign(key, claimsWith({ org_id: undefined })), 403, 'claims-invalid'],
    ['of too many groups', await sign(key, claimsWith({ groups: many })), 403, 'too-many-groups'],
    ['of an org that is not known', await sign(key, claimsWith({ org_id: 'nobody' })), 403, 'unknown-org'],
  ];
  for (const [what, token, status, code, authenticate] of cases) {
    const answer = await ask(gateway, '/v3/maps/1', { headers: { authorization: `Bearer ${token}` } });
    t.equal(answer.status, status, what);
    t.equal(answer.headers['quotagate-error'], code, what);
    t.equal(answer.headers['www-authenticate'], authenticate, what);
    t.notMatch(answer.body, /jose|JWT|stack|signature/i, 'no internals in the response');
  }
  server.answer = (_, response) => response.writeHead(500).end();
  const unknown = await sign({ ...key, kid: 'k9' }, claimsWith());
  const unsure = await ask(gateway, '/v3/maps/1', { headers: { authorization: `Bearer ${unknown}` } });
  t.equal(unsure.status, 503);
  t.equal(unsure.headers['quotagate-error'], 'identity-unavailable');
  t.ok(Number(unsure.headers['retry-after']) > 0);
  t.equal(upstream.log.length, 1);
  t.equal(await consumed('acme', 'alice'), 0.1);
});

t.test('a route without identity needs no token and forwards none', async (t) => {
  const { gateway, upstream } = await start(t);
  const answer = await ask(gateway, '/any', {
    method: 'OPTIONS',
    headers: { authorization: 'Bearer x.y.z' },
  });
  t.equal(answer.status, 200);
  t.equal(upstream.log[0]?.headers.authorization, 'Bearer of-the-upstream');
});

t.test('trusted headers take precedence over a token', async (t) => {
  const names = 'org: x-quota-org, user: x-quota-user';
  const both = await start(t, `trusted: { peers: [127.0.0.1/32], ${names} }`);
  const token = await both.tokenFor();
  t.equal(
    (await ask(both.gateway, '/v3/maps/1', { headers: { ...token, ...as('gil', 'globex') } })).status,
    200,
  );
  t.equal(await both.consumed('globex', 'gil'), 0.1, 'the trusted peer names the user');
  t.equal(await both.consumed('acme', 'alice'), 0);
  t.equal((await ask(both.gateway, '/v3/maps/1', { headers: token })).status, 200);
  t.equal(await both.consumed('acme', 'alice'), 0.1, 'without identity headers the token names the user');

  const other = await start(t, `trusted: { peers: [192.0.2.1/32], ${names} }`);
  const good = await other.tokenFor();
  const pushy = await ask(other.gateway, '/v3/maps/1', { headers: { ...good, ...as('gil', 'globex') } });
  t.equal(pushy.headers['quotagate-error'], 'identity-untrusted', 'even with a valid token');
  t.equal((await ask(other.gateway, '/v3/maps/1', { headers: good })).status, 200);
});
