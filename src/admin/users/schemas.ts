/** Users as the API shows them. */
import Type from 'typebox';
import {
  Amount,
  byName,
  ETag,
  Instant,
  listOf,
  named,
  orNull,
  Snapshot,
  UsersBlocked,
} from '../http/schema.js';
import { CapSums, LimitStatus } from '../limits/schemas.js';

export const UserStatus = Type.Enum(['active', 'invited', 'inactive', 'removed']);

const QUOTA = {
  limit: 'usage:u:ann',
  percent: 20,
  cap: 1_000,
  consumed: 240.5,
  held: 0,
  left: 759.5,
  effectiveLeft: 759.5,
  status: 'ok',
};

const UserQuota = named(
  'UserQuota',
  {
    limit: orNull(Type.String({ description: 'Id of the user’s own limit' })),
    percent: orNull(
      Type.Number({ description: 'The own limit in percent of the pool; null if it is not set so' }),
    ),
    cap: orNull(Amount),
    consumed: Amount,
    held: Amount,
    left: orNull(Type.Number({ description: 'What is left of the user’s own limit' })),
    effectiveLeft: orNull(
      Type.Number({
        description: 'The least that is left of all hard limits: the user’s, the groups’, the pool',
      }),
    ),
    status: LimitStatus,
  },
  QUOTA,
);

export const UserView = named(
  'User',
  {
    id: Type.String(),
    name: Type.String(),
    email: Type.String(),
    role: Type.String(),
    status: UserStatus,
    groups: Type.Array(Type.String()),
    createdAt: orNull(Instant),
    lastActiveAt: Type.Optional(
      orNull(
        Type.String({
          format: 'date-time',
          description:
            'Start of the hour of the last charge, in the time zone of the org; of its day, where hours are no longer kept. A charge counts within ' +
            'a minute. Null: none is kept. Left out in answers to writes',
        }),
      ),
    ),
    quotas: byName(UserQuota),
    etag: ETag,
  },
  {
    id: 'ann',
    name: 'Ann Smith',
    email: 'ann@example.com',
    role: 'engineer',
    status: 'active',
    groups: ['analysts'],
    createdAt: '2026-05-20T08:00:00.000Z',
    lastActiveAt: '2026-05-22T09:00:00.000Z',
    quotas: { usage: QUOTA },
    etag: '"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
);

export const UserList = listOf(UserView, { caps: byName(CapSums), ...Snapshot });

export const AccessPreview = named(
  'AccessPreview',
  {
    wouldBlock: Type.Boolean(),
    usersBlocked: UsersBlocked,
    quotas: Type.Array(Type.String(), { description: 'Of which the users would have nothing left' }),
  },
  { wouldBlock: true, usersBlocked: { count: 1, users: ['ann'] }, quotas: ['usage'] },
);
