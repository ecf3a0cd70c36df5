/** Events of an org: who reached which threshold, and who was refused for the first time at a limit. */
import Type from 'typebox';
import type { LogEntry } from '../../ledger/port.js';
import { readOrg } from '../../ledger/view/org-view.js';
import type { Notice } from '../../notify/notice.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import type { CsvCell } from '../http/csv.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { LogPaging, type LogReading, logCsv, logPage, Times, timesIn } from '../http/log-pages.js';
import { EventList } from './schemas.js';

const Filters = {
  kind: Type.Optional(Type.Enum(['threshold', 'blocked'])),
  who: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Id of the user, group or org whose limit it is, or of the user who asked',
    }),
  ),
  scope: Type.Optional(Type.Enum(['user', 'group', 'org'])),
  quota: Type.Optional(Type.String({ maxLength: 64 })),
  action: Type.Optional(Type.String({ maxLength: 64 })),
  ...Times,
};
type Filters = MembersOf<typeof Filters>;

const list = endpoint({
  id: 'listEvents',
  method: 'GET',
  path: '/orgs/:org/events',
  summary: 'List who reached a threshold, and who was blocked from which action',
  roles: READERS,
  query: { ...Filters, ...LogPaging },
  answers: { 200: EventList },
  handle: async (admin, { params, query }) =>
    ok(await logPage(await reading(admin, params.org, query), query)),
});

const asCsv = endpoint({
  id: 'exportEvents',
  method: 'GET',
  path: '/orgs/:org/events.csv',
  summary: 'The events as CSV, newest first',
  roles: READERS,
  query: Filters,
  answers: { 200: Type.String() },
  handle: async (admin, { params, query }) => logCsv(await reading(admin, params.org, query), COLUMNS),
});

export const EVENT_ENDPOINTS = [list, asCsv];

type Event = Notice & { readonly id: string };

function eventOf({ id, text }: LogEntry): Event {
  return { id, ...(JSON.parse(text) as Notice) };
}

async function reading({ ledger, quotas }: Admin, org: string, query: Filters): Promise<LogReading<Event>> {
  const { id } = await readOrg({ ledger, quotas }, org);
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
      is(action, event.action),
    ...timesIn(query),
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
  ['threshold', ({ threshold = '' }) => threshold],
  ['limit', ({ limit }) => limit],
  ['consumed', ({ consumed }) => consumed],
  ['requested', ({ requested = '' }) => requested],
];
