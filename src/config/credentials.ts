/** The part of the schema that is about credentials: those that callers send, and those that upstreams get. */
import Type from 'typebox';
import {
  claim,
  fieldValue,
  file,
  header,
  mapOf,
  oneOf,
  section,
  setHeader,
  variable,
  webUrl,
  whole,
  words,
} from './schema-types.js';
import { PUBLIC_ALGORITHMS, SECRET_ALGORITHMS } from './values.js';

/** A text that stands elsewhere, not here. */
const inFile = section({
  file: file({ description: 'File that holds it. Space and line ends around it are left out.' }),
});
const inVariable = section({ env: variable({ description: 'Environment variable that holds it.' }) });

const jwtSettings = {
  issuer: words({ description: 'The `iss` that tokens must have.' }),
  audience: words({ description: 'The `aud` that tokens must have, alone or among others.' }),
  algorithms: Type.Array(oneOf([...SECRET_ALGORITHMS, ...PUBLIC_ALGORITHMS], {}), {
    minItems: 1,
    uniqueItems: true,
    expects: `with \`secret\` a list of ${SECRET_ALGORITHMS.join(', ')}; else of ${PUBLIC_ALGORITHMS.join(', ')}`,
    description: 'The only signatures that are accepted.',
  }),
  header: header({
    default: 'authorization',
    description:
      'Header that carries the token: as `Bearer <token>` in `authorization`, with or without `Bearer` in any other. ' +
      'It never travels upstream.',
  }),
  clockToleranceSeconds: whole(0, 300, {
    default: 5,
    description: 'By so much may the issuer’s clock and this one differ.',
  }),
  claims: section(
    {
      org: claim({ default: 'org_id', description: 'Claim that names the org.' }),
      user: claim({ default: 'sub', description: 'Claim that names the user.' }),
      groups: Type.Optional(
        claim({
          description:
            'Claim that names groups of the user, as a list or a text separated by commas or spaces, beside those of ' +
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
      expects: 'https://host/path – or have `jwksFile` or `secret` in its place',
      description: 'URL of the issuer’s public keys (JWKS). New keys are found when a token needs them.',
    }),
    refreshSeconds: whole(10, 86_400, {
      default: 300,
      description: 'How often the keys are fetched anew, so that withdrawn ones go.',
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
    secret: Type.Union([inFile, inVariable], {
      secret: true,
      expects: '{ file: … } or { env: … }',
      description:
        'The secret that is shared with the issuer, of at least 32, 48 or 64 bytes (HS256, HS384, HS512).',
    }),
    ...jwtSettings,
  }),
]);

export const SetHeaders = mapOf(
  'header',
  setHeader({}),
  Type.Union([fieldValue({ secret: true }), inFile, inVariable], {
    expects: 'a text, { file: … } or { env: … }',
    description:
      'Value of this header on every request to the upstream, in place of the client’s: its credential.',
  }),
  { default: {}, description: 'Headers that the upstream gets from us, such as `authorization`.' },
);
