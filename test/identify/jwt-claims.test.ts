// Org, user and groups are what the signed claims say, judged as strictly as the headers of a trusted peer.
import t from 'tap';
import type { ClaimPlaces } from '../../src/identify/claims.js';
import { jwt } from '../../src/identify/jwt.js';
import { ALICE, bearer, claimsWith, KeyServer, newKey, optionsFor, serve, sign } from './support.js';

const list = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);

const GROUPS: ClaimPlaces = { org: 'org_id', user: 'sub', groups: 'groups' };
const NESTED: ClaimPlaces = { org: '/tenant/0/id', user: '/a~1b/c~0d', groups: '/realm_access/roles' };
const NAMED: ClaimPlaces = { org: 'https://acme.example/org', user: 'user.id' };

const CASES: [what: string, places: ClaimPlaces, claims: Record<string, unknown>, expected: unknown][] = [
  ['without groups', GROUPS, {}, ALICE],
  ['groups in a list', GROUPS, { groups: ['ml', 'dev', 'ml'] }, { ...ALICE, claims: 'ml,dev' }],
  ['groups by commas', GROUPS, { groups: 'ml, dev,ml' }, { ...ALICE, claims: 'ml,dev' }],
  ['groups by spaces', GROUPS, { groups: ' ml dev  ml ' }, { ...ALICE, claims: 'ml,dev' }],
  ['one group', GROUPS, { groups: 'ml' }, { ...ALICE, claims: 'ml' }],
  ['no groups in a list', GROUPS, { groups: [] }, ALICE],
  ['no groups in a text', GROUPS, { groups: '' }, ALICE],
  ['no groups, said so', GROUPS, { groups: null }, ALICE],
  [
    '64 groups, one of them twice',
    GROUPS,
    { groups: [...list(64), 'g0'] },
    { ...ALICE, claims: list(64).join() },
  ],
  ['65 groups', GROUPS, { groups: list(65) }, 'too-many-groups'],
  ['65 groups in a text', GROUPS, { groups: list(65).join(' ') }, 'too-many-groups'],
  ['groups that are a number', GROUPS, { groups: 7 }, 'claims-invalid'],
  ['groups that are a map', GROUPS, { groups: { ml: true } }, 'claims-invalid'],
  ['a group that is a number', GROUPS, { groups: ['ml', 7] }, 'claims-invalid'],
  ['a group that is a list', GROUPS, { groups: [['ml']] }, 'claims-invalid'],
  ['a group with a slash', GROUPS, { groups: ['/ml'] }, 'claims-invalid'],
  ['an empty group', GROUPS, { groups: ['ml', ''] }, 'claims-invalid'],
  ['an empty place among groups', GROUPS, { groups: 'ml,,dev' }, 'claims-invalid'],
  ['groups that nobody asked for', { org: 'org_id', user: 'sub' }, { groups: 7 }, ALICE],
  ['no org', GROUPS, { org_id: undefined }, 'claims-invalid'],
  ['an empty org', GROUPS, { org_id: '' }, 'claims-invalid'],
  ['an org of two', GROUPS, { org_id: ['acme', 'globex'] }, 'claims-invalid'],
  ['an org in a list', GROUPS, { org_id: ['acme'] }, 'claims-invalid'],
  ['an org that is a number', GROUPS, { org_id: 7 }, 'claims-invalid'],
  ['an org with a brace', GROUPS, { org_id: '{acme}' }, 'claims-invalid'],
  ['an org with a line end', GROUPS, { org_id: 'acme\n' }, 'claims-invalid'],
  ['no user', GROUPS, { sub: undefined }, 'claims-invalid'],
  ['an empty user', GROUPS, { sub: '' }, 'claims-invalid'],
  ['a user that is a number', GROUPS, { sub: 7 }, 'claims-invalid'],
  ['a user of 257 bytes', GROUPS, { sub: 'u'.repeat(257) }, 'claims-invalid'],
  ['a lone surrogate', GROUPS, { sub: '\ud800' }, 'claims-invalid'],
  ['a user beyond ASCII', GROUPS, { sub: 'zoë|1' }, { ...ALICE, user: 'zo%C3%AB%7C1', userId: 'zoë|1' }],
  [
    'claims inside others',
    NESTED,
    { tenant: [{ id: 'globex' }], 'a/b': { 'c~d': 'eva' }, realm_access: { roles: ['ml'] } },
    { org: 'globex', user: 'eva', userId: 'eva', claims: 'ml' },
  ],
  ['claims inside what is none', NESTED, { tenant: 'acme', 'a/b': null }, 'claims-invalid'],
  [
    'names with signs of their own',
    NAMED,
    { 'https://acme.example/org': 'globex', 'user.id': 'eva', user: { id: 'no' } },
    { org: 'globex', user: 'eva', userId: 'eva', claims: '' },
  ],
  ['what every object has is no claim', { org: 'constructor', user: 'sub' }, {}, 'claims-invalid'],
  ['nor of a claim', { org: '/org_id/constructor/name', user: 'sub' }, {}, 'claims-invalid'],
  ['the length of a text is none', { org: 'org_id', user: '/org_id/length' }, {}, 'claims-invalid'],
];

t.test('claims', async (t) => {
  const key = await newKey('ES256', 'k1');
  const server = await KeyServer.start(t, [key.jwk]);
  for (const [what, places, claims, expected] of CASES) {
    const identifier = jwt(optionsFor(server.url, { claims: places }));
    const ask = await serve(t, identifier);
    t.same(await ask(bearer(await sign(key, claimsWith(claims)))), expected, what);
    identifier.close();
  }
});
