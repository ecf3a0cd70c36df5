// Identity headers count only from trusted peers, and only where no two readers could read them differently.
import t from 'tap';
import type { Identifier } from '../../src/identify/identifier.js';
import { composeIdentifiers } from '../../src/identify/identifier.js';
import { trustedHeaders } from '../../src/identify/trusted-headers.js';
import { ALICE, serve } from './support.js';

const NAMES = { org: 'x-quota-org', user: 'X-Quota-User', groups: 'x-quota-groups' };
const LOOPBACK = ['127.0.0.1/32'];

const ORG = 'X-Quota-Org: acme\r\n';
const USER = 'X-Quota-User: alice\r\n';
const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const list = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`).join(',');

const CASES: [what: string, headers: string, expected: unknown][] = [
  ['no identity header', 'Content-Type: text/plain\r\n', 'none'],
  ['org and user', ORG + USER, ALICE],
  ['names in any case', 'x-qUOTA-org: acme\r\nX-QUOTA-USER: alice\r\n', ALICE],
  ['white space around values', 'X-Quota-Org:  acme \r\nX-Quota-User:\talice\t\r\n', ALICE],
  [
    'a user beyond ASCII',
    `${ORG}X-Quota-User: ${utf8('zoë')}\r\n`,
    { ...ALICE, user: 'zo%C3%AB', userId: 'zoë' },
  ],
  [
    'a user with separators',
    `${ORG}X-Quota-User: a|b;c,d\r\n`,
    { ...ALICE, user: 'a%7Cb%3Bc%2Cd', userId: 'a|b;c,d' },
  ],
  [
    'an escaped user is not decoded',
    `${ORG}X-Quota-User: a%41\r\n`,
    { ...ALICE, user: 'a%2541', userId: 'a%41' },
  ],
  [
    'a user of 256 bytes',
    `${ORG}X-Quota-User: ${'u'.repeat(256)}\r\n`,
    { ...ALICE, user: 'u'.repeat(256), userId: 'u'.repeat(256) },
  ],
  ['a user of 257 bytes', `${ORG}X-Quota-User: ${'u'.repeat(257)}\r\n`, 'identity-invalid'],
  ['129 characters of 2 bytes', `${ORG}X-Quota-User: ${utf8('ë'.repeat(129))}\r\n`, 'identity-invalid'],
  ['bytes that are not UTF-8', `${ORG}X-Quota-User: zo\xeb\r\n`, 'identity-invalid'],
  ['a surrogate in UTF-8', `${ORG}X-Quota-User: \xed\xa0\x80\r\n`, 'identity-invalid'],
  ['an overlong form', `${ORG}X-Quota-User: \xc1\x81\r\n`, 'identity-invalid'],
  ['no org', USER, 'identity-invalid'],
  ['no user', ORG, 'identity-invalid'],
  ['groups only', 'X-Quota-Groups: ml\r\n', 'identity-invalid'],
  ['an empty org', `X-Quota-Org:\r\n${USER}`, 'identity-invalid'],
  ['an empty user', `${ORG}X-Quota-User: \r\n`, 'identity-invalid'],
  ['an org with a space', `X-Quota-Org: ac me\r\n${USER}`, 'identity-invalid'],
  ['an org with a brace', `X-Quota-Org: {acme}\r\n${USER}`, 'identity-invalid'],
  ['an org of 65 letters', `X-Quota-Org: ${'o'.repeat(65)}\r\n${USER}`, 'identity-invalid'],
  ['the org twice', `${ORG}${ORG}${USER}`, 'identity-invalid'],
  ['the user twice, in two cases', `${ORG}${USER}x-quota-user: bob\r\n`, 'identity-invalid'],
  ['the groups twice', `${ORG}${USER}X-Quota-Groups: a\r\nX-Quota-Groups: b\r\n`, 'identity-invalid'],
  ['an empty one and a full one', `${ORG}X-Quota-User:\r\n${USER}`, 'identity-invalid'],
  ['an underscore twin beside', `${ORG}${USER}X_Quota_User: bob\r\n`, 'identity-invalid'],
  ['half an underscore twin', `${ORG}${USER}X-Quota_User: bob\r\n`, 'identity-invalid'],
  ['an underscore twin alone', 'x_quota_org: acme\r\n', 'identity-invalid'],
  ['Connection names it', `${ORG}${USER}Connection: keep-alive, X-Quota-User\r\n`, 'identity-invalid'],
  ['Connection names its twin', `${ORG}${USER}Connection: x_quota_groups\r\n`, 'identity-invalid'],
  [
    'a second Connection names it',
    `Connection: close\r\nConnection: x-quota-org\r\n${ORG}${USER}`,
    'identity-invalid',
  ],
  ['Connection alone names it', 'Connection: x-quota-org\r\n', 'identity-invalid'],
  ['Connection names others', `${ORG}${USER}Connection: keep-alive, x-quota\r\n`, ALICE],
  ['groups', `${ORG}${USER}X-Quota-Groups: ml\r\n`, { ...ALICE, claims: 'ml' }],
  [
    'groups with spaces, repeated',
    `${ORG}${USER}X-Quota-Groups: ml , dev,\tml\r\n`,
    { ...ALICE, claims: 'ml,dev' },
  ],
  ['empty groups', `${ORG}${USER}X-Quota-Groups:\r\n`, ALICE],
  ['an empty place among groups', `${ORG}${USER}X-Quota-Groups: ml,,dev\r\n`, 'identity-invalid'],
  ['a bad group', `${ORG}${USER}X-Quota-Groups: ml,d:v\r\n`, 'identity-invalid'],
  [
    '64 groups, one of them twice',
    `${ORG}${USER}X-Quota-Groups: ${list(64)},g0\r\n`,
    { ...ALICE, claims: list(64) },
  ],
  ['65 groups', `${ORG}${USER}X-Quota-Groups: ${list(65)}\r\n`, 'too-many-groups'],
];

t.test('from a trusted peer', async (t) => {
  const ask = await serve(t, trustedHeaders({ peers: LOOPBACK, ...NAMES }));
  for (const [what, headers, expected] of CASES) t.same(await ask(headers), expected, what);
});

t.test('from any other peer, only identity headers are refused', async (t) => {
  const ask = await serve(t, trustedHeaders({ peers: ['127.0.0.2/32', '::/0'], ...NAMES }));
  for (const [what, headers, expected] of CASES) {
    t.same(await ask(headers), expected === 'none' ? 'none' : 'identity-untrusted', what);
  }
});

t.test('without a groups header, one of that name is nobody’s', async (t) => {
  const identifier = trustedHeaders({ peers: LOOPBACK, org: NAMES.org, user: NAMES.user });
  t.same(identifier.headers, ['x-quota-org', 'x-quota-user']);
  const ask = await serve(t, identifier);
  t.same(await ask(`${ORG}${USER}X-Quota-Groups: a:b\r\n`), ALICE);
});

t.test('ambiguous names are refused at start', async (t) => {
  for (const names of [
    { org: 'x-id', user: 'X-ID' },
    { org: 'x_org', user: 'x-user' },
    { org: '', user: 'x-user' },
    { org: 'x-org', user: 'x-user', groups: 'x-org' },
  ])
    t.throws(() => trustedHeaders({ peers: LOOPBACK, ...names }), /must differ/);
});

t.test('of several identifiers the first that answers or refuses wins', async (t) => {
  const fixed = (name: string, org: string | undefined): Identifier => ({
    headers: [name, 'x-shared'],
    identify: () => (org === undefined ? undefined : { ...ALICE, org }),
  });
  const headers = trustedHeaders({ peers: LOOPBACK, ...NAMES });
  const all = composeIdentifiers([headers, fixed('x-none', undefined), fixed('x-b', 'b'), fixed('x-c', 'c')]);
  t.same(all.headers, ['x-quota-org', 'x-quota-user', 'x-quota-groups', 'x-none', 'x-shared', 'x-b', 'x-c']);
  const ask = await serve(t, all);
  t.same(await ask(ORG + USER), ALICE);
  t.same(await ask(ORG), 'identity-invalid');
  t.same(await ask(''), { ...ALICE, org: 'b' });
  t.equal(composeIdentifiers([headers]), headers);
  const late: Identifier = { headers: ['x-late'], identify: async () => undefined };
  const waited = await serve(t, composeIdentifiers([headers, late, fixed('x-b', 'b')]));
  t.same(await waited(''), { ...ALICE, org: 'b' }, 'one that finds nothing late hands on');
  const nobody = await serve(t, composeIdentifiers([]));
  t.same(await nobody(ORG + USER), 'none');
});
