// Tokens are verified by one kind of key, no header has two meanings, and headers for an upstream are valid.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { headersOf } from '../../src/config/secret.js';
import { upstreamFields } from '../../src/forward/headers.js';
import { linesOf, mistakesOf } from './support.js';

const JWT = 'issuer: https://i.example, audience: a';
const token = (settings: string): string => `identity: { jwt: { ${JWT}, ${settings} } }\n`;
const lines = (text: string): string[] => linesOf(mistakesOf(text));

t.test('each place of keys, and the defaults', async (t) => {
  const byUrl = loadConfig(token('jwksUrl: https://i.example/jwks, algorithms: [RS256, ES256]'), {});
  t.strictSame(byUrl.identity.jwt, {
    jwksUrl: 'https://i.example/jwks',
    refreshSeconds: 300,
    issuer: 'https://i.example',
    audience: 'a',
    algorithms: ['RS256', 'ES256'],
    header: 'authorization',
    clockToleranceSeconds: 5,
    claims: { org: 'org_id', user: 'sub' },
  });
  const byFile = loadConfig(
    token(
      'jwksFile: /keys, algorithms: [EdDSA], header: x-t, claims: { org: "/a/b", groups: "https://c/d" }',
    ),
    {},
  );
  t.match(byFile.identity.jwt, {
    jwksFile: '/keys',
    claims: { org: '/a/b', user: 'sub', groups: 'https://c/d' },
  });
  const bySecret = token('secret: { env: SECRET }, algorithms: [HS256, HS512]');
  t.match(loadConfig(bySecret, {}).identity.jwt, { secret: { env: 'SECRET' } });
  const changed = loadConfig(bySecret, {
    QUOTAGATE_IDENTITY_JWT_ALGORITHMS: 'HS384',
    QUOTAGATE_IDENTITY_JWT_CLAIMS_ORG: 'tenant',
  });
  t.match(changed.identity.jwt, { algorithms: ['HS384'], claims: { org: 'tenant' } });
});

t.test('kinds of keys are not mixed, and none is missing', async (t) => {
  const algorithms =
    'with `secret` a list of HS256, HS384, HS512; else of RS256, RS384, RS512, PS256, PS384, PS512, ' +
    'ES256, ES384, ES512, EdDSA, Ed25519';
  const cases: [settings: string, expected: string[]][] = [
    [
      'jwksUrl: "https://h/", algorithms: [RS256, HS256]',
      [
        'algorithms/1: HS256 needs a shared secret, but `jwksUrl` holds public keys – write another, or use `secret`',
      ],
    ],
    [
      'jwksFile: /f, algorithms: [HS384]',
      [
        'algorithms/0: HS384 needs a shared secret, but `jwksFile` holds public keys – write another, or use `secret`',
      ],
    ],
    [
      'secret: { file: /f }, algorithms: [HS256, ES256]',
      [
        'algorithms/1: ES256 needs a public key, but `secret` is a shared secret – ' +
          'write HS256, HS384, HS512, or use `jwksUrl`',
      ],
    ],
    [
      'jwksFile: /f, algorithms: [none]',
      [
        'algorithms/0: "none" is none of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ' +
          'ES512, EdDSA, Ed25519 – write one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ' +
          'ES384, ES512, EdDSA, Ed25519',
      ],
    ],
    ['jwksFile: /f, algorithms: []', [`algorithms: a list is out of bounds – write ${algorithms}`]],
    [
      'algorithms: [RS256]',
      [
        'jwksUrl: `jwksUrl` is missing – add `jwksUrl`: https://host/path, or use `jwksFile` or `secret` instead',
      ],
    ],
    [
      'jwksFile: /f, secret: { file: /g }, algorithms: [RS256]',
      ['secret: `secret` cannot be combined with `jwksFile` – keep one of the two'],
    ],
    [
      'secret: in-the-open, algorithms: [HS256]',
      ['secret: the value is not a map – write { file: … } or { env: … }'],
    ],
    [
      'jwksFile: /f, algorithms: [RS256], claims: { org: /a~2 }',
      [
        'claims/org: "/a~2" is not the place of a claim – write the name of a claim, or a JSON pointer to one inside ' +
          'another, such as /realm_access/roles',
      ],
    ],
    [
      'jwksUrl: "https://u:p@h/", algorithms: [RS256]',
      [
        'jwksUrl: the value is not a web address – write https://host/path, or use `jwksFile` or `secret` ' +
          'instead',
      ],
    ],
  ];
  for (const [settings, expected] of cases) {
    const found = lines(token(settings)).map((line) => line.replace(/^\S+ \/identity\/jwt\//, ''));
    t.strictSame(found, expected, settings);
  }
});

t.test('a header has one meaning', async (t) => {
  const jwt = `jwt: { ${JWT}, jwksFile: /f, algorithms: [RS256], header: x-quota-user }`;
  t.strictSame(lines(`identity: { trusted: { peers: ['::1'] }, ${jwt} }\n`), [
    '1:132 /identity/jwt/header: `user` has this header already – write another header',
  ]);
  const route = `{ match: GET /a, action: a, upstream: u, charges: [{ quota: ai, units: { header: authorization } }] }`;
  const rest = `upstreams: { u: { url: http://u } }\nroutes: [${route}]\n`;
  t.match(lines(`${token('jwksFile: /f, algorithms: [RS256]')}${rest}`), [
    /`authorization` identifies the caller, so it cannot carry the cost/,
  ]);
});

t.test('headers for an upstream', async (t) => {
  const upstream = (setHeaders: string): string =>
    `upstreams: { u: { url: http://u, setHeaders: ${setHeaders} } }\n`;
  const config = loadConfig(
    upstream('{ authorization: { file: /s }, x-k: { env: K }, host: h, x-p: "p q" }'),
    {},
  );
  t.strictSame(config.upstreams.u?.setHeaders, {
    authorization: { file: '/s' },
    'x-k': { env: 'K' },
    host: 'h',
    'x-p': 'p q',
  });
  const [shown = ''] = lines(upstream('{ x-k: "top\\nsecret" }'));
  t.match(shown, /\/upstreams\/u\/setHeaders\/x-k: the value is not the value of a header/);
  t.notMatch(shown, 'secret');
  t.match(lines(upstream('{ x-k: { env: a-b } }')), [/"a-b" is not the name of an environment variable/]);
  t.match(lines(upstream('{ x-k: { file: /f, env: K } }')), [/`env` cannot be combined with `file`/]);
});

t.test('a header that cannot be set there is a mistake here', async (t) => {
  const names = ['connection', 'keep-alive', 'te', 'upgrade', 'trailer', 'expect', 'transfer-encoding'];
  names.push(
    'content-length',
    'proxy-authorization',
    'ratelimit',
    'ratelimit-policy',
    'quotagate-error',
    'quotagate-mode',
  );
  names.push('x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto');
  for (const name of names) {
    t.throws(() => upstreamFields([name, 'x']), name);
    t.match(lines(`upstreams: { u: { url: http://u, setHeaders: { ${name}: x } } }`), [
      /not a header that can be/,
    ]);
  }
  for (const name of ['host', 'authorization', 'x-api-key', 'cookie'])
    t.doesNotThrow(() => upstreamFields([name, 'x']));
});

t.test('only headers that are dropped by default can be passed, and none that is ours', async (t) => {
  const upstream = (names: string, more = '') =>
    `identity: { trusted: { peers: [::1] } }\nupstreams: { u: { url: http://u, passHeaders: ${names}${more} } }`;
  t.strictSame(loadConfig(upstream('[x_a, script-name, x.b]'), {}).upstreams.u?.passHeaders, [
    'x_a',
    'script-name',
    'x.b',
  ]);
  for (const name of ['x-a', 'X_A', 'content_length', 'proxy.authorization', 'host', 'x forwarded'])
    t.match(lines(upstream(`["${name}"]`)), [/not a header that is dropped by default/], name);
  t.match(lines(upstream('[x.quota_user]')), [/can read `x.quota_user` as `x-quota-user`/]);
  t.match(lines(upstream('[x_k]', ', setHeaders: { x-k: v }')), [/can read `x_k` as `x-k`/]);
});

t.test(
  'secrets are read from their source; an error names a missing secret and never shows one',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'secret');
    writeFileSync(file, ' Bearer abc\r\n');
    const values = { authorization: { file }, 'x-key': { env: 'KEY' }, 'x-plain': 'p' };
    t.strictSame(headersOf(values, { KEY: 'k\n' }), [
      'authorization',
      'Bearer abc',
      'x-key',
      'k',
      'x-plain',
      'p',
    ]);
    t.throws(() => headersOf(values, {}), /environment variable KEY is not set/);
    t.throws(() => headersOf(values, { KEY: ' \n' }), /environment variable KEY is empty/);
    t.throws(() => headersOf({ 'x-key': { file: join(folder, 'none') } }, {}), { code: 'ENOENT' });
    for (const text of ['top\r\nsecret', 'top\0secret', 'topsecr€t']) {
      const message = /^the value of the header x-key has characters that no header can hold$/;
      t.throws(
        () => headersOf({ 'x-key': { env: 'KEY' } }, { KEY: text }),
        { message },
        'the value is not shown',
      );
    }
  },
);

t.test('the identity provider of admins', async (t) => {
  const oidc = (settings: string): string => `admin: { oidc: { ${JWT}, ${settings} } }\n`;
  const grants =
    'grants: [{ claim: groups, value: a, role: admin, orgs: all }, ' +
    '{ claim: /r, value: b, role: viewer, orgs: [acme] }, { claim: r, value: c, role: scim, orgs: { claim: org_id } }]';
  t.strictSame(loadConfig(oidc(grants), {}).admin.oidc, {
    issuer: 'https://i.example',
    audience: 'a',
    algorithms: ['RS256'],
    clockToleranceSeconds: 5,
    refreshSeconds: 300,
    claims: { subject: 'sub', name: 'email' },
    grants: [
      { claim: 'groups', value: 'a', role: 'admin', orgs: 'all' },
      { claim: '/r', value: 'b', role: 'viewer', orgs: ['acme'] },
      { claim: 'r', value: 'c', role: 'scim', orgs: { claim: 'org_id' } },
    ],
  });
  const wrong = [
    'grants: []',
    'algorithms: [HS256], grants: [{ claim: g, value: a, role: owner, orgs: everything }]',
    'grants: [{ claim: g, value: a, role: admin }]',
    'grants: [{ claim: g, value: a, role: admin, orgs: [] }]',
  ];
  t.strictSame(
    wrong.map((settings) => lines(oidc(settings)).map((line) => line.replace(/^\S+ \/admin\/oidc\//, ''))),
    [
      ['grants: a list is out of bounds – write a list of grants'],
      [
        'algorithms/0: "HS256" is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519 – ' +
          'did you mean `RS256`?',
        'grants/0/role: "owner" is none of admin, quota-manager, viewer, scim – write one of admin, quota-manager, viewer, scim',
        'grants/0/orgs: "everything" is not all, a list of orgs, or { claim: … } – write all, a list of orgs, or { claim: … }',
      ],
      ['grants/0/orgs: `orgs` is missing – add `orgs`: all, a list of orgs, or { claim: … }'],
      ['grants/0/orgs: a list is not a list of org ids – write all, a list of orgs, or { claim: … }'],
    ],
  );
});
