/** The schema of the identity provider that admins log in with. */
import Type from 'typebox';
import { ROLES } from '../admin/access/roles.js';
import { secretPlace } from './credentials.js';
import { claim, oneOf, orgList, section, webUrl, whole, words } from './schema-types.js';
import { PUBLIC_ALGORITHMS } from './values.js';

const Grant = section({
  claim: claim({ description: 'Claim that grants the role.' }),
  value: words({
    description: 'The value that it must have: as its text, as a word of it, or as an item of its list.',
  }),
  role: oneOf(ROLES, { description: 'The role.' }),
  orgs: Type.Union([orgList({}), section({ claim: claim({ description: 'Claim that lists the orgs.' }) })], {
    expects: 'all, a list of orgs, or { claim: … }',
    description: 'The orgs for which it is granted: all, these, or those that a claim lists.',
  }),
});

const Console = section(
  {
    clientId: words({
      description:
        'Id of the client at the provider: authorization code with PKCE. Its redirect URI is `<admin.publicUrl>/login/oidc/callback`.',
    }),
    clientSecret: Type.Optional(
      secretPlace({ description: 'Secret of that client. Left out: a public client.' }),
    ),
    scopes: Type.Array(words({}), {
      default: ['openid', 'email', 'profile'],
      minItems: 1,
      uniqueItems: true,
      expects: 'a list of scopes, with openid',
      description: 'Scopes that the login asks for; the ID token must have the claims of `grants`.',
    }),
  },
  {
    expects: 'a map with the clientId of the console',
    description: 'Login to the console at the provider. Left out: with a token only.',
  },
);

export const Oidc = section(
  {
    issuer: webUrl({
      description:
        'Issuer of the tokens, exactly as they state it. Its keys are found by discovery (`<issuer>/.well-known/openid-configuration`).',
    }),
    audience: words({ description: 'The `aud` that tokens must have, alone or among others.' }),
    algorithms: Type.Array(oneOf(PUBLIC_ALGORITHMS, {}), {
      default: ['RS256'],
      minItems: 1,
      uniqueItems: true,
      expects: `a list of ${PUBLIC_ALGORITHMS.join(', ')}`,
      description: 'The signature algorithms that are accepted.',
    }),
    clockToleranceSeconds: whole(0, 300, {
      default: 5,
      description: 'Largest accepted difference between the issuer’s clock and this one.',
    }),
    refreshSeconds: whole(10, 86_400, {
      default: 300,
      description:
        'How often the keys are fetched again, so that withdrawn keys stop working. A token with an unknown key id fetches them too.',
    }),
    claims: section(
      {
        subject: claim({ default: 'sub', description: 'Claim with the id of the admin in the audit log.' }),
        name: claim({ default: 'email', description: 'Claim with the name beside it, if there is one.' }),
      },
      { default: {} },
    ),
    console: Type.Optional(Console),
    grants: Type.Array(Grant, {
      minItems: 1,
      expects: 'a list of grants',
      description:
        'Who may do what. The first grant that matches decides the role; others with the same role add their orgs. Without a match, ' +
        'the token is refused.',
    }),
  },
  {
    expects: 'a map of the settings of an identity provider',
    description:
      'OpenID Connect provider whose tokens are accepted as bearer tokens of the admin API, beside admin tokens. Left out: none.',
  },
);
