/** The schema of the caller's identity: trusted headers, API keys, JWTs. */
import Type from 'typebox';
import { Jwt } from './credentials.js';
import { header, oneOf, peer, section } from './schema-types.js';

export const Identity = section(
  {
    trusted: Type.Optional(
      section({
        peers: Type.Array(peer({}), {
          minItems: 1,
          expects: 'a list of addresses and ranges',
          description:
            'Peers whose identity headers are trusted. Inside a pod, loopback includes every container.',
        }),
        org: header({ default: 'x-quota-org', description: 'Header that names the org.' }),
        user: header({ default: 'x-quota-user', description: 'Header that names the user.' }),
        groups: Type.Optional(
          header({
            description:
              'Header that lists groups of the user, comma-separated, in addition to those in the directory. Left out: none.',
          }),
        ),
      }),
    ),
    apiKeys: Type.Optional(
      section({
        headers: Type.Array(header({}), {
          default: ['authorization'],
          minItems: 1,
          uniqueItems: true,
          expects: 'a list of header names',
          description:
            'Headers that may carry an API key: as `Bearer qg_…` in `authorization`, alone in any other. SDKs of AI APIs ' +
            'use `authorization`, `x-api-key`, `api-key` or `x-goog-api-key`.',
        }),
      }),
    ),
    jwt: Type.Optional(Jwt),
    unknownUsers: oneOf(['register', 'deny'], {
      default: 'register',
      description:
        'Whether a user seen for the first time is added to the directory (`register`) or refused (`deny`).',
    }),
    unknownGroups: oneOf(['ignore', 'deny'], {
      default: 'ignore',
      description:
        'What happens to a group in a trusted header or claim that is not in the directory. `ignore`: it is counted in a metric, logged once and ' +
        'left out. `deny`: the request is refused with 403. Group names are case-sensitive.',
    }),
  },
  { default: {} },
);
