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

const ExportView = members({
  target: Type.String({ description: 'Its name in the config' }),
  state: Type.Enum(['ok', 'lagging', 'failing'], {
    description:
      '`failing`: the last attempt failed. `lagging`: what the target lacks is older than 5 minutes',
  }),
  lagSeconds: Type.Integer({ description: 'Age of the oldest journal entry that the target lacks; 0: none' }),
  lost: Type.Integer({ description: 'Journal entries that were deleted before the target had them' }),
  error: orNull(Type.String({ description: 'Of the last attempt, while the target is failing' })),
  lastAttemptAt: Instant,
});

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
    exports: Type.Array(ExportView, {
      description: 'Targets of `journal.exports` in the config, once the org has something to export',
    }),
    withoutPlan: Type.Array(members({ quota: Type.String(), unit: Type.String() }), {
      description: 'Quotas of the config that the org has no plan of: their requests are refused',
    }),
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
    exports: [
      {
        target: 'billing',
        state: 'failing',
        lagSeconds: 840,
        lost: 0,
        error: 'billing.example.com answered 503',
        lastAttemptAt: '2026-05-22T09:58:00.000Z',
      },
    ],
    withoutPlan: [{ quota: 'lds', unit: 'calls' }],
    snapshotAgeMs: 12,
  },
);
