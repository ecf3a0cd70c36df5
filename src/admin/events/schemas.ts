/** Events as the API shows them. */
import Type from 'typebox';
import { Instant, listOf, named } from '../http/schema.js';
import { members } from '../http/validate.js';
import { NOTICE, NOTICE_FIELDS } from '../notifications/schemas.js';

const REFUSED = {
  count: 240,
  first: '2026-05-22T10:00:00.000Z',
  last: '2026-05-22T13:00:00.000Z',
  precision: 'hour',
  actions: [{ action: 'geocoding', count: 240 }],
};

const Count = Type.Integer({ minimum: 1 });

const RefusedOfEvent = named(
  'RefusedOfEvent',
  {
    count: Count,
    first: Instant,
    last: Type.String({
      format: 'date-time',
      description: 'The last request was refused within an hour, or day, from then: see `precision`',
    }),
    precision: Type.Enum(['hour', 'day']),
    actions: Type.Array(members({ action: Type.String(), count: Count }), {
      description: 'Each action that was refused, with its count; the most refused first',
    }),
  },
  REFUSED,
);

const EventView = named(
  'Event',
  {
    id: Type.String(),
    ...NOTICE_FIELDS,
    kind: Type.Enum(['threshold', 'blocked', 'raise-request']),
    reason: Type.Optional(Type.String({ description: 'Of a request for a raise' })),
    refused: Type.Optional(RefusedOfEvent),
  },
  { id: '1779444000000-0', ...NOTICE, threshold: 100, reason: 'release week', refused: REFUSED },
);

export const EventList = listOf(EventView, {});
