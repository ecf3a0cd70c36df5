/** Orgs as the API shows them. */
import Type from 'typebox';
import { ETag, Instant, listOf, named, orNull, Percent } from '../http/schema.js';
import { members } from '../http/validate.js';
import { CAP_SUMS, CapSums } from '../limits/schemas.js';
import { POOL, Pool } from '../plans/schemas.js';
import { Cycle } from './definition.js';

const State = Type.Enum(['open', 'archived']);
const CYCLE = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };

export const OrgView = named(
  'Org',
  {
    id: Type.String(),
    name: Type.String(),
    state: State,
    createdAt: Instant,
    seats: orNull(Type.Integer()),
    seatsUsed: Type.Integer(),
    cycle: Cycle,
    thresholds: Type.Array(Percent),
    etag: ETag,
  },
  {
    id: 'acme',
    name: 'Acme',
    state: 'open',
    createdAt: '2026-05-20T08:00:00.000Z',
    seats: 3,
    seatsUsed: 2,
    cycle: CYCLE,
    thresholds: [50, 80, 90, 100],
    etag: '"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
);

const LostOrg = named(
  'LostOrg',
  { id: Type.String(), state: Type.Literal('lost', { description: 'Its data is missing in the store' }) },
  { id: 'acme', state: 'lost' },
);

export const OrgList = listOf(Type.Union([OrgView, LostOrg]), {});

const Day = Type.String({ format: 'date' });
const Period = { start: Instant, end: Instant, from: Day, to: Day };

const PoolWithCaps = members({ ...Pool, caps: CapSums });

export const Overview = named(
  'Overview',
  {
    id: Type.String(),
    name: Type.String(),
    state: State,
    cycle: members({ ...Cycle.properties, ...Period }),
    window: members(Period),
    seats: members({ used: Type.Integer(), total: orNull(Type.Integer()) }),
    quotas: Type.Array(PoolWithCaps),
    snapshotAgeMs: Type.Integer({ minimum: 0 }),
  },
  {
    id: 'acme',
    name: 'Acme',
    state: 'open',
    cycle: {
      ...CYCLE,
      start: '2026-05-19T22:00:00.000Z',
      end: '2026-06-19T22:00:00.000Z',
      from: '2026-05-20',
      to: '2026-06-19',
    },
    window: {
      start: '2026-05-19T22:00:00.000Z',
      end: '2026-05-22T10:00:00.000Z',
      from: '2026-05-20',
      to: '2026-05-22',
    },
    seats: { used: 2, total: 3 },
    quotas: [{ ...POOL, caps: CAP_SUMS }],
    snapshotAgeMs: 12,
  },
);
