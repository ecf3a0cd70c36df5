/** Consumption as the API shows it. */
import Type from 'typebox';
import { Amount, Instant, listOf, named, Snapshot } from '../http/schema.js';
import { members } from '../http/validate.js';

export const Scope = Type.Enum(['user', 'group']);

const Usage = named(
  'Usage',
  { quota: Type.String(), scope: Type.String(), id: Type.String(), consumed: Amount, held: Amount },
  { quota: 'usage', scope: 'user', id: 'ann', consumed: 240.5, held: 0 },
);

const PoolUsage = named(
  'PoolUsage',
  { quota: Type.String(), consumed: Amount, held: Amount, pool: Amount, remaining: Amount },
  { quota: 'usage', consumed: 1_799.5, held: 10, pool: 7_500, remaining: 5_690.5 },
);

export const UsageList = listOf(Usage, {
  cycle: members({ start: Instant, end: Instant }),
  org: Type.Array(PoolUsage),
  ...Snapshot,
});
