/** Admin tokens as the API shows them. */
import Type from 'typebox';
import { ROLES } from '../access/roles.js';
import { Instant, listOf, named, orNull } from '../http/schema.js';

const token = {
  id: Type.String(),
  name: Type.String(),
  role: Type.Enum([...ROLES]),
  orgs: Type.Union([Type.Literal('all'), Type.Array(Type.String())]),
  createdAt: Instant,
  createdBy: Type.String(),
  expiresAt: orNull(Instant),
  expired: Type.Boolean(),
};
const tokenExample = {
  id: 'Fz8Kq2LmNp4RsT6v',
  name: 'dashboard',
  role: 'viewer',
  orgs: ['acme'],
  createdAt: '2026-05-22T10:00:00.000Z',
  createdBy: 'bootstrap',
  expiresAt: null,
  expired: false,
};

const TokenView = named('Token', token, tokenExample);

export const MadeTokenView = named(
  'MadeToken',
  {
    ...token,
    token: orNull(
      Type.String({ description: 'The token itself, shown only here; null in a repeated answer' }),
    ),
  },
  { ...tokenExample, token: 'qga_Fz8Kq2LmNp4RsT6v_…' },
);

export const TokenList = listOf(TokenView, {});
