/** Groups as the API shows them. */
import Type from 'typebox';
import { Amount, byName, ETag, listOf, named, Snapshot } from '../http/schema.js';
import { members } from '../http/validate.js';
import { Cap, Figures } from '../limits/schemas.js';

const GroupQuota = Type.Union([
  members({ limit: Type.Null(), consumed: Amount, held: Amount }),
  named(
    'GroupQuota',
    {
      limit: Type.String({ description: 'Id of the group’s limit' }),
      ...Cap,
      ...Figures,
      shadow: Type.Boolean(),
    },
    {
      limit: 'usage:g:analysts',
      units: 3_000,
      cap: 3_000,
      consumed: 1_200,
      held: 0,
      remaining: 1_800,
      percentUsed: 40,
      status: 'ok',
      shadow: false,
    },
  ),
]);

export const GroupView = named(
  'Group',
  {
    id: Type.String(),
    name: Type.String(),
    members: Type.Integer({ description: 'How many' }),
    quotas: byName(GroupQuota),
    etag: ETag,
  },
  {
    id: 'analysts',
    name: 'Analysts',
    members: 2,
    quotas: { usage: { limit: null, consumed: 1_200, held: 0 } },
    etag: '"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
);

export const GroupList = listOf(GroupView, Snapshot);
