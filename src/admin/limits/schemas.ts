/** Limits as the API shows them. */
import Type from 'typebox';
import {
  Amount,
  byName,
  ETag,
  Instant,
  listOf,
  named,
  orNull,
  Percent,
  Snapshot,
  UsersBlocked,
} from '../http/schema.js';
import { Id, members, Name } from '../http/validate.js';

export const LimitStatus = Type.Enum(['ok', 'warning', 'blocked']);

/** A cap as it is written: `units` or `percent`. */
export const StatedCap = {
  units: Type.Optional(Type.Number()),
  percent: Type.Optional(Type.Number()),
  shadow: Type.Optional(Type.Boolean()),
};

/** A limit as it is written: of a `user` or of a `group`. */
export const StatedLimit = {
  quota: Name,
  user: Type.Optional(Id),
  group: Type.Optional(Name),
  ...StatedCap,
};

/** `figuresOut`. */
export const Figures = {
  cap: Amount,
  consumed: Amount,
  held: Amount,
  remaining: Amount,
  percentUsed: Percent,
  status: LimitStatus,
};

/** `capOut`: units; or percent of the pool, and where its share begins. */
export const Cap = {
  units: Type.Optional(Amount),
  percent: Type.Optional(Percent),
  offset: Type.Optional(Percent),
};

export const LimitView = named(
  'Limit',
  {
    id: Type.String(),
    quota: Type.String(),
    subject: Type.Union([
      members({
        scope: Type.Literal('user'),
        id: Type.String(),
        name: Type.String(),
        role: Type.String(),
      }),
      members({ scope: Type.Literal('group'), id: Type.String(), name: Type.String() }),
    ]),
    ...Cap,
    ...Figures,
    shadow: Type.Boolean({ description: 'Evaluated and counted, never refusing' }),
    resetsAt: Instant,
    raise: Type.Optional(members({ units: Amount, until: Instant })),
    etag: ETag,
  },
  {
    id: 'ai:u:ann',
    quota: 'ai',
    subject: { scope: 'user', id: 'ann', name: 'Ann Smith', role: 'engineer' },
    units: 50_000,
    cap: 50_000,
    consumed: 12_000,
    held: 0,
    remaining: 38_000,
    percentUsed: 24,
    status: 'ok',
    shadow: false,
    resetsAt: '2026-06-19T22:00:00.000Z',
    etag: '"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
);

export const LimitPreview = named(
  'LimitPreview',
  {
    id: Type.String(),
    wouldBlock: Type.Boolean(),
    consumed: Amount,
    held: Amount,
    cap: Amount,
    usersBlocked: UsersBlocked,
    lastCycle: orNull(
      members({
        from: Type.String({ format: 'date' }),
        to: Type.String({ format: 'date', description: 'Included' }),
        consumed: Type.Number({ description: 'What the subject consumed, in the unit of the quota' }),
        usersBlocked: Type.Integer({ description: 'Users whom the limit would have blocked' }),
      }),
    ),
  },
  {
    id: 'ai:u:ann',
    wouldBlock: true,
    consumed: 12_000,
    held: 0,
    cap: 10_000,
    usersBlocked: { count: 1, users: ['ann'] },
    lastCycle: { from: '2026-04-20', to: '2026-05-19', consumed: 31_000, usersBlocked: 1 },
  },
);

export const CAP_SUMS = {
  activeUsers: 3,
  cappedUsers: 3,
  percentSum: 100,
  unitsSum: 5_000,
  state: 'exact',
  unconsumable: 0,
  raises: { count: 1, until: '2026-05-25T18:00:00.000Z' },
};

export const CapSums = named(
  'CapSums',
  {
    activeUsers: Type.Integer(),
    cappedUsers: Type.Integer(),
    percentSum: Percent,
    unitsSum: Amount,
    state: Type.Enum(['none', 'exact', 'oversubscribed', 'short']),
    unconsumable: orNull(Amount),
    raises: members({
      count: Type.Integer({ description: 'Limits of users and groups that are raised now' }),
      until: orNull(Type.String({ format: 'date-time', description: 'When the first of these raises ends' })),
    }),
  },
  CAP_SUMS,
);

export const LimitList = listOf(LimitView, { caps: byName(CapSums), ...Snapshot });

const distributed = {
  quota: Type.String(),
  users: Type.Integer(),
  percentSum: Percent,
  pool: Amount,
  capsSum: Amount,
  least: Amount,
  most: Amount,
};
const distributedExample = {
  quota: 'usage',
  users: 3,
  percentSum: 100,
  pool: 5_000,
  capsSum: 5_000,
  least: 1_666.6,
  most: 1_666.7,
};

export const Distributed = named('Distributed', distributed, distributedExample);

function capsInUnits(description: string) {
  const limit = members({ id: Type.String(), units: Amount, shadow: Type.Boolean() });
  return members({
    count: Type.Integer({ description }),
    limits: Type.Array(limit, { description: 'The first 100 of them' }),
  });
}

export const DistributionPreview = named(
  'DistributionPreview',
  {
    ...distributed,
    wouldBlock: Type.Boolean(),
    usersBlocked: Type.Integer(),
    unitsReplaced: capsInUnits('Caps in units that would be replaced'),
    unitsKept: capsInUnits('Caps in units that would be kept, with keepAbsolute'),
  },
  {
    ...distributedExample,
    wouldBlock: false,
    usersBlocked: 0,
    unitsReplaced: { count: 1, limits: [{ id: 'usage:u:ann', units: 500, shadow: false }] },
    unitsKept: { count: 0, limits: [] },
  },
);

const COUNTS = {
  rows: Type.Integer(),
  added: Type.Integer(),
  changed: Type.Integer(),
  unchanged: Type.Integer(),
};
const COUNTS_EXAMPLE = { rows: 3, added: 2, changed: 1, unchanged: 0 };

export const LimitsSet = named('LimitsSet', COUNTS, COUNTS_EXAMPLE);

export const LimitsSetPreview = named(
  'LimitsSetPreview',
  { ...COUNTS, wouldBlock: Type.Boolean(), usersBlocked: UsersBlocked },
  { ...COUNTS_EXAMPLE, wouldBlock: true, usersBlocked: { count: 1, users: ['ann'] } },
);
