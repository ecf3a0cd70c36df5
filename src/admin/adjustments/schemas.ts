/** Corrections as the API shows them. */
import Type from 'typebox';
import { Amount, Instant, named } from '../http/schema.js';
import { members } from '../http/validate.js';

const adjusted = {
  user: Type.String(),
  quota: Type.String(),
  units: Amount,
  groups: Type.Array(Type.String(), { description: 'Groups whose combined consumption changed too' }),
  consumed: Type.Number({ description: 'Of the user in this cycle, after the correction' }),
  orgConsumed: Type.Number({ description: 'Of the org in this cycle, after the correction' }),
};

const example = {
  user: 'ann',
  quota: 'usage',
  units: -120.5,
  groups: ['eng'],
  consumed: 1_679,
  orgConsumed: 3_820.5,
};

export const Adjustment = named(
  'Adjustment',
  { ...adjusted, at: Instant, reason: Type.String() },
  { ...example, at: '2026-05-22T10:00:00.000Z', reason: 'calls of a broken client' },
);

export const AdjustmentPreview = named(
  'AdjustmentPreview',
  {
    ...adjusted,
    wouldBlock: Type.Boolean(),
    blocked: Type.Array(members({ scope: Type.Enum(['user', 'group', 'org']), id: Type.String() }), {
      description: 'Whose limits would have nothing left',
    }),
  },
  { ...example, wouldBlock: false, blocked: [] },
);
