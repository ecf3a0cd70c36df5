/** Plans and pools as the API shows them. */
import Type from 'typebox';
import { Amount, ETag, Instant, listOf, named, orNull, Percent } from '../http/schema.js';
import { members } from '../http/validate.js';

export const PlanMode = Type.Enum(['hard', 'soft', 'shadow']);

/** `poolView`. */
export const Pool = {
  quota: Type.String(),
  unit: Type.String(),
  mode: PlanMode,
  allowance: Amount,
  allowanceLeft: Amount,
  extra: Amount,
  extraUsed: Amount,
  extraLeft: Amount,
  pool: Amount,
  consumed: Amount,
  held: Amount,
  remaining: Amount,
  percentUsed: Percent,
  overshoot: Amount,
  refillsAt: Instant,
  /** From `refillsAt` on, where another plan was set. */
  next: orNull(members({ allowance: Amount, mode: PlanMode })),
  etag: ETag,
};

export const POOL = {
  quota: 'usage',
  unit: 'units',
  mode: 'hard',
  allowance: 5_000,
  allowanceLeft: 3_200.5,
  extra: 2_500,
  extraUsed: 0,
  extraLeft: 2_500,
  pool: 7_500,
  consumed: 1_799.5,
  held: 10,
  remaining: 5_690.5,
  percentUsed: 23.99,
  overshoot: 0,
  refillsAt: '2026-06-19T22:00:00.000Z',
  next: { allowance: 8_000, mode: 'hard' },
  etag: '"8Jm2oYt1vTQ3bq0eVw5xZA"',
};

export const PoolView = named('Pool', Pool, POOL);

export const PlanPreview = named(
  'PlanPreview',
  {
    wouldBlock: Type.Boolean(),
    consumed: Amount,
    held: Amount,
    cap: Amount,
    limitsBlocked: members({
      count: Type.Integer(),
      ids: Type.Array(Type.String(), { description: 'The first 100 of them' }),
    }),
  },
  {
    wouldBlock: false,
    consumed: 1_799.5,
    held: 10,
    cap: 4_000,
    limitsBlocked: { count: 1, ids: ['usage:u:ann'] },
  },
);

export const PlanList = members({ items: Type.Array(PoolView) });

const Change = { at: Instant, who: Type.String(), reason: Type.String() };

export const PlanChangeList = listOf(
  Type.Union([
    members({
      kind: Type.Literal('plan'),
      allowance: Amount,
      mode: PlanMode,
      begins: Instant,
      ...Change,
    }),
    members({ kind: Type.Literal('extra'), units: Amount, ...Change }),
  ]),
  {},
);
