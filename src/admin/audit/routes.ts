/**
 * The audit logs: every change by an admin, and failed logins. Each org has one; the log of admin tokens and logins is separate.
 */
import Type from 'typebox';
import type { LogEntry } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { readOrg } from '../../ledger/view/org-view.js';
import { ADMINS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import type { CsvCell } from '../http/csv.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { LogPaging, type LogReading, logCsv, logPage, Times, timesIn } from '../http/log-pages.js';
import { TOKEN_ORG } from '../tokens/token-store.js';
import { AuditList } from './schemas.js';

const Filters = {
  who: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name of the author' })),
  action: Type.Optional(Type.String({ maxLength: 64, description: 'Such as `limit.change`, or `limit`' })),
  subject: Type.Optional(Type.String({ maxLength: 512, description: 'Such as `limit:ai:u:ann`' })),
  ...Times,
};
type Filters = MembersOf<typeof Filters>;

const ofOrg = endpoint({
  id: 'listAudit',
  method: 'GET',
  path: '/orgs/:org/audit',
  summary: 'List the changes of an org: who, when, from what, to what, why',
  roles: READERS,
  query: { ...Filters, ...LogPaging },
  answers: { 200: AuditList },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    return ok(await logPage(reading(admin, view.id, query), query));
  },
});

const ofOrgAsCsv = endpoint({
  id: 'exportAudit',
  method: 'GET',
  path: '/orgs/:org/audit.csv',
  summary: 'The changes of an org as CSV, newest first',
  roles: READERS,
  query: Filters,
  answers: { 200: Type.String() },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    return logCsv(reading(admin, view.id, query), COLUMNS);
  },
});

const ofTokens = endpoint({
  id: 'listTokenAudit',
  method: 'GET',
  path: '/audit',
  summary: 'List the changes of admin tokens, and logins: failed ones, and the first of each caller on a day',
  roles: ADMINS,
  reach: 'all',
  query: { ...Filters, ...LogPaging },
  answers: { 200: AuditList },
  handle: async (admin, { query }) => ok(await logPage(reading(admin, TOKEN_ORG, query), query)),
});

const ofTokensAsCsv = endpoint({
  id: 'exportTokenAudit',
  method: 'GET',
  path: '/audit.csv',
  summary: 'The changes of admin tokens and logins as CSV, newest first',
  roles: ADMINS,
  reach: 'all',
  query: Filters,
  answers: { 200: Type.String() },
  handle: async (admin, { query }) => logCsv(reading(admin, TOKEN_ORG, query), COLUMNS),
});

export const AUDIT_ENDPOINTS = [ofOrg, ofOrgAsCsv, ofTokens, ofTokensAsCsv];

interface Entry {
  readonly at: number;
  readonly who: string;
  readonly action: string;
  readonly subject: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly reason: string;
}

function entryOf({ id, text }: LogEntry) {
  const entry = JSON.parse(text) as Entry;
  return { id, ...entry, at: instant(entry.at) };
}
type Shown = ReturnType<typeof entryOf>;

function reading({ ledger }: Admin, org: string, query: Filters): LogReading<Shown> {
  const { who, action, subject } = query;
  return {
    ledger,
    org,
    log: 'audit',
    decode: entryOf,
    timeOf: ({ at }) => Date.parse(at),
    accept: (entry) =>
      (who === undefined || entry.who.includes(who)) &&
      (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
      (subject === undefined || entry.subject === subject),
    ...timesIn(query),
  };
}

const COLUMNS: readonly (readonly [string, (entry: Shown) => CsvCell])[] = [
  ['at', ({ at }) => at],
  ['who', ({ who }) => who],
  ['action', ({ action }) => action],
  ['subject', ({ subject }) => subject],
  ['from', ({ from }) => jsonIn(from)],
  ['to', ({ to }) => jsonIn(to)],
  ['reason', ({ reason }) => reason],
];

function jsonIn(value: unknown): string {
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
