/** Events as the API shows them. */
import Type from 'typebox';
import { listOf, named } from '../http/schema.js';
import { NOTICE, NOTICE_FIELDS } from '../notifications/schemas.js';

const EventView = named(
  'Event',
  { id: Type.String(), ...NOTICE_FIELDS },
  { id: '1779444000000-0', ...NOTICE, threshold: 100 },
);

export const EventList = listOf(EventView, {});
