/** API keys as the API shows them. */
import Type from 'typebox';
import { Instant, listOf, named, orNull, Snapshot } from '../http/schema.js';

const key = {
  id: Type.String(),
  user: Type.String(),
  name: Type.String(),
  createdAt: orNull(Instant),
  createdBy: Type.String(),
  expiresAt: orNull(Instant),
  expired: Type.Boolean(),
};
const keyExample = {
  id: 'Fz8Kq2LmNp4RsT6v',
  user: 'ann',
  name: 'laptop',
  createdAt: '2026-05-22T10:00:00.000Z',
  createdBy: 'ops (Ab3Cd5Ef7Gh9Jk1m)',
  expiresAt: null,
  expired: false,
};

const KeyView = named('Key', key, keyExample);

export const MadeKeyView = named(
  'MadeKey',
  {
    ...key,
    key: orNull(Type.String({ description: 'The key itself, shown only here; null in a repeated answer' })),
  },
  { ...keyExample, key: 'qg_acme_Fz8Kq2LmNp4RsT6v_…' },
);

export const KeyList = listOf(KeyView, Snapshot);
