/** What a request for the history asks for, as a query of the history. */
import Type from 'typebox';
import { type Days, daysOfPeriod, PERIOD_DEFAULT, PERIOD_NAMES } from '../../history/periods.js';
import {
  DIMENSIONS,
  type Dimension,
  type HistoryQuery,
  INTERVALS,
  kindOf,
  type Selection,
} from '../../history/query.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { dayOf } from '../../quota/cycle.js';
import { modelKeyOf, userKeyOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { definitionOf } from '../http/amounts.js';
import type { MembersOf } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';

const Day = Type.Optional(
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'A day in the zone of the org' }),
);
const Text = Type.Optional(Type.String({ maxLength: 1_024 }));

/** In place of a model or an API key: requests that have none. */
export const NONE = 'none';

export const RangeQuery = {
  period: Type.Optional(Type.Enum([...PERIOD_NAMES])),
  day: Day,
  from: Day,
  to: Day,
  by: Type.Optional(Type.Enum([...INTERVALS])),
  groupBy: Type.Optional(
    Type.String({ maxLength: 100, description: `Comma-separated: ${DIMENSIONS.join(', ')}` }),
  ),
  quota: Text,
  user: Text,
  group: Text,
  action: Text,
  model: Text,
  key: Text,
  cumulative: Type.Optional(Type.Boolean()),
};
export type RangeQuery = MembersOf<typeof RangeQuery>;

/** As `quotagate` config: the longest range is this many days. */
const DAYS_MAX = 1_100;
const DAY_MS = 86_400_000;

export function historyQueryOf(admin: Admin, view: OrgView, asked: RangeQuery): HistoryQuery {
  const { from, to, since } = daysOf(view, asked);
  const only = selectionOf(admin, asked);
  const groupBy = dimensionsOf(asked.groupBy);
  const by = asked.by ?? (asked.day === undefined ? 'day' : 'hour');
  const query: HistoryQuery = {
    org: view.id,
    rule: view.rule,
    from,
    to,
    by,
    groupBy,
    only,
    ...(since === undefined ? {} : { since }),
  };
  refuseForgottenHours(admin, view, query);
  return query;
}

function daysOf(view: OrgView, { period, day, from, to }: RangeQuery): Days {
  const today = dayOf(view.now, view.rule.timeZone);
  const stated = [period, day, from ?? to].filter((one) => one !== undefined);
  if (stated.length > 1) throw invalid('period', 'state one of period, day, or from and to');
  if (day !== undefined) return { from: dayIn('day', day), to: dayIn('day', day) };
  if (from !== undefined || to !== undefined) {
    const first = dayIn('from', from ?? '');
    const last = dayIn('to', to ?? today);
    if (last < first) throw invalid('to', 'must not be before from');
    if ((Date.parse(last) - Date.parse(first)) / DAY_MS >= DAYS_MAX)
      throw invalid('from', `at most ${DAYS_MAX} days can be asked for at once`);
    return { from: first, to: last };
  }
  return daysOfPeriod(period ?? PERIOD_DEFAULT, view);
}

function dayIn(field: string, text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, text.length) !== text || text === '')
    throw invalid(field, 'must be a day such as 2026-05-22');
  return text;
}

function dimensionsOf(list: string | undefined): Dimension[] {
  const names = list === undefined || list === '' ? [] : list.split(',');
  const unknown = names.find((name) => !(DIMENSIONS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw invalid('groupBy', `${JSON.stringify(unknown)} is not one of ${DIMENSIONS.join(', ')}`);
  return [...new Set(names as Dimension[])];
}

function selectionOf({ quotas }: Admin, asked: RangeQuery): Selection {
  const { quota, user, group, action, model, key } = asked;
  if (quota !== undefined) definitionOf(quotas, quota, 'quota');
  const userKey = user === undefined ? undefined : userKeyOf(user);
  if (user !== undefined && userKey === undefined) throw invalid('user', 'is not a user id');
  const chosen = {
    quota,
    user: userKey,
    group,
    action,
    model: model === undefined || model === NONE ? noneAs(model) : modelKeyOf(model),
    key: noneAs(key),
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}

function noneAs(value: string | undefined): string | undefined {
  return value === NONE ? '' : value;
}

function refuseForgottenHours(admin: Admin, { now, rule }: OrgView, query: HistoryQuery): void {
  const { userHoursDays } = admin.retention;
  const first = dayOf(now - userHoursDays * DAY_MS, rule.timeZone);
  if (kindOf(query) === 'userhours' && query.from < first)
    throw invalid('by', `users and API keys are kept by the hour for ${userHoursDays} days: ask by=day`);
}
