/** Requests of callers for a raise, as the API shows them. */
import Type from 'typebox';
import { Amount, ETag, Instant, listOf, named, orNull, Snapshot } from '../http/schema.js';

export const RequestState = Type.Enum(['open', 'raised', 'declined', 'expired']);

const request = {
  limit: Type.String({ description: 'Id of the limit' }),
  quota: Type.String(),
  unit: Type.String(),
  scope: Type.Enum(['user', 'group']),
  subject: Type.String({ description: 'Id of the user or group whose limit it is' }),
  user: Type.String({ description: 'Who asks' }),
  units: orNull(Amount),
  reason: Type.String(),
  at: Instant,
  state: RequestState,
  answeredBy: orNull(Type.String()),
  answeredAt: orNull(Instant),
  answer: orNull(Type.String({ description: 'The reason of the answer' })),
  etag: ETag,
};

export const RaiseRequestView = named('RaiseRequest', request, {
  limit: 'ai:u:ann',
  quota: 'ai',
  unit: 'tokens',
  scope: 'user',
  subject: 'ann',
  user: 'ann',
  units: 500,
  reason: 'release week',
  at: '2026-05-22T10:00:00.000Z',
  state: 'open',
  answeredBy: null,
  answeredAt: null,
  answer: null,
  etag: '"Jf3mZp0QkY1xN8vB2cRt7w"',
});

export const RaiseRequestList = listOf(RaiseRequestView, Snapshot);
