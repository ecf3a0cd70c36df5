/** Events of an org: who reached which threshold, and who was blocked at a limit, with the count of refused requests. */
import Type from 'typebox';
import type { LogEntry } from '../../ledger/port.js';
import { type OrgView, readOrg } from '../../ledger/view/org-view.js';
import type { Notice } from '../../notify/notice.js';
import type { RaiseNotice } from '../../notify/raise-requests.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import type { CsvCell } from '../http/csv.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import {
  type Complete,
  LogPaging,
  type LogReading,
  logCsv,
  logPage,
  Times,
  timesIn,
} from '../http/log-pages.js';
import { type Event, withRefused } from './refused.js';
import { EventList } from './schemas.js';

const Filters = {
  kind: Type.Optional(Type.Enum(['threshold', 'blocked', 'raise-request'])),
  who: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Id of the user, group or org whose limit it is, or of the user who asked',
    }),
  ),
  scope: Type.Optional(Type.Enum(['user', 'group', 'org'])),
  quota: Type.Optional(Type.String({ maxLength: 64 })),
  action: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'What reached the threshold, or any action that the limit refused since the event',
    }),
  ),
  ...Times,
};
type Filters = MembersOf<typeof Filters>;

const list = endpoint({
  id: 'listEvents',
  method: 'GET',
  path: '/orgs/:org/events',
  summary: 'List who reached a threshold, who was blocked from which action, and who asked for a raise',
  roles: READERS,
  query: { ...Filters, ...LogPaging },
  answers: { 200: EventList },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    return ok(await logPage(reading(admin, view, query), query, completing(admin, view, query)));
  },
});

const asCsv = endpoint({
  id: 'exportEvents',
  method: 'GET',
  path: '/orgs/:org/events.csv',
  summary: 'The events as CSV, newest first',
  roles: READERS,
  query: Filters,
  answers: { 200: Type.String() },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    return logCsv(reading(admin, view, query), COLUMNS, completing(admin, view, query));
  },
});

export const EVENT_ENDPOINTS = [list, asCsv];

function eventOf({ id, text }: LogEntry): Event {
  return { id, ...(JSON.parse(text) as Notice | RaiseNotice) };
}

function reading({ ledger }: Admin, { id }: OrgView, query: Filters): LogReading<Event> {
  const { kind, who, scope, quota, action } = query;
  const is = (wanted: string | undefined, ...found: readonly string[]): boolean =>
    wanted === undefined || found.includes(wanted);
  return {
    ledger,
    org: id,
    log: 'events',
    decode: eventOf,
    timeOf: ({ at }) => Date.parse(at),
    accept: (event) =>
      is(kind, event.kind) &&
      is(who, event.subject, event.user) &&
      is(scope, event.scope) &&
      is(quota, event.quota) &&
      // Which actions a limit refused is known with the history.
      (event.kind === 'blocked' || is(action, event.action)),
    ...timesIn(query),
  };
}

/** Adds what was refused, then leaves out what was not about the action. */
function completing(admin: Admin, view: OrgView, { action }: Filters): Complete<Event, Event> {
  return async (events) => {
    const all = await withRefused(admin, view, events);
    if (action === undefined) return all;
    return all.filter((event) =>
      (event.refused?.actions ?? [event]).some((refused) => refused.action === action),
    );
  };
}

const COLUMNS: readonly (readonly [string, (event: Event) => CsvCell])[] = [
  ['at', ({ at }) => at],
  ['kind', ({ kind }) => kind],
  ['scope', ({ scope }) => scope],
  ['subject', ({ subject }) => subject],
  ['name', ({ name }) => name],
  ['quota', ({ quota }) => quota],
  ['unit', ({ unit }) => unit],
  ['action', ({ action }) => action],
  ['user', ({ user }) => user],
  ['threshold', (event) => ('threshold' in event ? (event.threshold ?? '') : '')],
  ['limit', ({ limit }) => limit],
  ['consumed', ({ consumed }) => consumed],
  ['requested', ({ requested = '' }) => requested],
  ['refused', ({ refused }) => refused?.count ?? ''],
  ['refused_first', ({ refused }) => refused?.first ?? ''],
  ['refused_last', ({ refused }) => refused?.last ?? ''],
  ['refused_precision', ({ refused }) => refused?.precision ?? ''],
  ['refused_actions', ({ refused }) => refused?.actions.map(({ action }) => action).join(' ') ?? ''],
  ['reason', (event) => ('reason' in event ? event.reason : '')],
];
