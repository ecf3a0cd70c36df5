/** Holds as the API shows them. */
import Type from 'typebox';
import { Amount, Instant, listOf, named, Snapshot } from '../http/schema.js';
import { members } from '../http/validate.js';

const Hold = named(
  'Hold',
  {
    id: Type.String(),
    user: Type.String(),
    groups: Type.Array(Type.String()),
    action: Type.String(),
    charges: Type.Array(
      members({
        quota: Type.String(),
        kind: Type.Enum(['fixed', 'held']),
        units: Amount,
        charged: Amount,
      }),
    ),
    cycleStart: Instant,
    admittedAt: Instant,
    expiresAt: Instant,
  },
  {
    id: '7f3e2b1c-chat-1',
    user: 'ann',
    groups: ['analysts'],
    action: 'chat',
    charges: [{ quota: 'ai', kind: 'held', units: 1_200, charged: 0 }],
    cycleStart: '2026-05-19T22:00:00.000Z',
    admittedAt: '2026-05-22T10:00:00.000Z',
    expiresAt: '2026-05-22T10:01:00.000Z',
  },
);

export const HoldList = listOf(Hold, Snapshot);
