/** The history as the API shows it. */
import Type from 'typebox';
import { INTERVALS } from '../../history/query.js';
import { Amount, Instant, named, orNull } from '../http/schema.js';
import { members } from '../http/validate.js';

const Count = Type.Integer({ minimum: 0 });

const Refused = named(
  'RefusedRequests',
  { user: Count, group: Count, org: Count },
  { user: 3, group: 0, org: 0 },
);

const figures = {
  quota: Type.String(),
  units: Amount,
  raw: Type.Number({ description: 'What the meter read, before weights' }),
  refused: Refused,
};
const FIGURES = { quota: 'usage', units: 240.5, raw: 240.5, refused: { user: 3, group: 0, org: 0 } };

const HistoryFigures = named('HistoryFigures', figures, FIGURES);

const cumulative = Type.Optional(
  Type.Number({ description: 'Sum of this row and the rows before it, with `cumulative=true`' }),
);

const HistoryDay = named(
  'HistoryDay',
  { day: Type.String(), ...figures, cumulative },
  { day: '2026-05-22', ...FIGURES, cumulative: 300 },
);

const Name = Type.Optional(Type.String());

const HistoryRow = named(
  'HistoryRow',
  {
    bucket: Type.String({
      description: 'Hour, day, Monday of a week, or start of a cycle; empty for the total',
    }),
    user: Name,
    group: Name,
    action: Name,
    model: Name,
    key: Name,
    ...figures,
    cumulative,
  },
  {
    bucket: '2026-05-22',
    user: 'ann',
    group: 'eng',
    action: 'maps',
    model: 'none',
    key: 'none',
    ...FIGURES,
    cumulative: 300,
  },
);

const HistoryUser = named(
  'HistoryUser',
  { user: Type.String(), quotas: Type.Array(HistoryFigures) },
  { user: 'ann', quotas: [FIGURES] },
);

export const UsageHistory = members({
  period: members({
    from: Type.String(),
    to: Type.String(),
    start: orNull(Instant),
    timeZone: Type.String(),
    by: Type.Enum([...INTERVALS]),
  }),
  summary: Type.Array(HistoryFigures),
  users: Type.Array(HistoryUser),
  usersTotal: Count,
  daily: Type.Array(HistoryDay),
  rows: Type.Array(HistoryRow),
});
