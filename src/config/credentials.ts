/** The schema of credentials: those that callers send, and those that the gateway sends to upstreams. */
import Type from 'typebox';
import {
  claim,
  fieldValue,
  file,
  header,
  mapOf,
  oneOf,
  type Prose,
  section,
  setHeader,
  variable,
  webUrl,
  whole,
  words,
} from './schema-types.js';
import { PUBLIC_ALGORITHMS, SECRET_ALGORITHMS } from './values.js';

/** A value that is kept in a file or an environment variable. */
const inFile = section({
  file: file({ description: 'File that holds the value. Surrounding whitespace is ignored.' }),
});
const inVariable = section({ env: variable({ description: 'Environment variable that holds the value.' }) });

export function secretPlace(prose: Prose) {
  return Type.Union([inFile, inVariable], { secret: true, expects: '{ file: … } or { env: … }', ...prose });
}

const jwtSettings = {
  issuer: words({ description: 'The `iss` that tokens must have.' }),
  audience: words({ description: 'The `aud` that tokens must have, alone or among others.' }),
  algorithms: Type.Array(oneOf([...SECRET_ALGORITHMS, ...PUBLIC_ALGORITHMS], {}), {
    minItems: 1,
    uniqueItems: true,
    expects: `with \`secret\` a list of ${SECRET_ALGORITHMS.join(', ')}; else of ${PUBLIC_ALGORITHMS.join(', ')}`,
    description: 'The signature algorithms that are accepted.',
  }),
  header: header({
    default: 'authorization',
    description:
      'Header that carries the token: as `Bearer <token>` in `authorization`, with or without `Bearer` in any other. ' +
      'It is never sent upstream.',
  }),
  clockToleranceSeconds: whole(0, 300, {
    default: 5,
    description: 'Largest accepted difference between the issuer’s clock and the gateway’s.',
  }),
  claims: section(
    {
      org: claim({ default: 'org_id', description: 'Claim that names the org.' }),
      user: claim({ default: 'sub', description: 'Claim that names the user.' }),
      groups: Type.Optional(
        claim({
          description:
            'Claim that lists groups of the user, as a list or a text separated by commas or spaces, in addition to those in ' +
            'the directory. Left out: none.',
        }),
      ),
    },
    { default: {} },
  ),
};

export const Jwt = Type.Union([
  section({
    jwksUrl: webUrl({
      secret: true,
      expects: 'https://host/path, or use `jwksFile` or `secret` instead',
      description:
        'URL of the issuer’s public keys (JWKS). It is fetched again when a token has an unknown key id.',
    }),
    refreshSeconds: whole(10, 86_400, {
      default: 300,
      description: 'How often the keys are fetched again, so that withdrawn keys stop working.',
    }),
    ...jwtSettings,
  }),
  section({
    jwksFile: file({
      description: 'File with the issuer’s public keys (JWKS). A change takes effect within a second.',
    }),
    ...jwtSettings,
  }),
  section({
    secret: secretPlace({
      description: 'The secret shared with the issuer: at least 32, 48 or 64 bytes (HS256, HS384, HS512).',
    }),
    ...jwtSettings,
  }),
]);

export const SetHeaders = mapOf(
  Type.Union([fieldValue({ secret: true }), inFile, inVariable], {
    expects: 'a text, { file: … } or { env: … }',
    description:
      'Value of this header on every request to the upstream; it replaces the client’s value. Typically a credential.',
  }),
  {
    keyName: 'header',
    keys: setHeader({}),
    default: {},
    description: 'Headers that the gateway sets for the upstream, such as `authorization`.',
  },
);
