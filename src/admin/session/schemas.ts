/** The session of a caller, and how one logs in. */
import Type from 'typebox';
import { ROLES } from '../access/roles.js';
import { named, orNull } from '../http/schema.js';
import { members } from '../http/validate.js';

const RoleName = Type.Enum([...ROLES]);

export const SessionView = named(
  'Session',
  {
    who: Type.String({ description: 'The name of the caller in the audit log' }),
    role: RoleName,
    allOrgs: Type.Boolean({ description: 'Whether the caller reaches every org, also future ones' }),
    orgs: Type.Array(members({ id: Type.String(), name: Type.String(), role: RoleName }), {
      description: 'The first 100 orgs that the caller reaches, without archived ones',
    }),
    moreOrgs: Type.Boolean({ description: 'Whether there are more: `GET /v1/orgs` lists them' }),
    operations: Type.Array(Type.String(), {
      description: 'The operationIds that the caller may call, in each of its orgs',
    }),
    expiresAt: orNull(Type.String({ format: 'date-time', description: 'When it ends; null: never' })),
    idleSeconds: orNull(
      Type.Integer({ description: 'A session ends after this time without a request; null for a token' }),
    ),
  },
  {
    who: 'dashboard (Fz8Kq2LmNp4RsT6v)',
    role: 'viewer',
    allOrgs: false,
    orgs: [{ id: 'acme', name: 'Acme', role: 'viewer' }],
    moreOrgs: false,
    operations: ['getOverview', 'listUsers'],
    expiresAt: '2026-05-22T22:00:00.000Z',
    idleSeconds: 1_800,
  },
);

export const LoginView = named(
  'Login',
  {
    methods: Type.Array(Type.Enum(['token', 'code']), { description: 'What `POST /v1/session` takes' }),
    oidc: orNull(members({ url: Type.String({ description: 'Of the page that begins the login' }) })),
    refused: orNull(
      Type.String({ description: 'Why nobody can log in over this connection; null: one can' }),
    ),
  },
  { methods: ['token', 'code'], oidc: { url: '/login/oidc' }, refused: null },
);

/** Either the one or the other. */
export const LoginBody = members({
  token: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, description: 'An admin token' })),
  code: Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, description: 'A one-time code: valid for five minutes' }),
  ),
});
