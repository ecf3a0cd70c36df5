/** The two audit logs: the changes of the org, and the tokens and logins, which only admin tokens for all orgs may read. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { useSince } from '../../parts/since.js';
import { queriesOf, queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { type Paging, pageQuery } from '../../ui/paging.js';

/** The actions of each log begin with one of these, before the dot. */
export const AREAS = {
  org: [
    'limit',
    'plan',
    'extra',
    'adjustment',
    'raise-request',
    'user',
    'group',
    'key',
    'notifications',
    'webhook',
    'notice',
    'hold',
    'org',
  ],
  access: ['login', 'session', 'token'],
} as const;

export const LOGS = ['org', 'access'] as const;
export type AuditLog = (typeof LOGS)[number];

export const mayReadAccess = (): boolean => may('listTokenAudit');

export function shownLog(): AuditLog {
  return queryOf('log') === 'access' && mayReadAccess() ? 'access' : 'org';
}

/** As the address has them. */
export const FILTERS = ['who', 'action', 'subject', 'since'];

export type AuditFilters = ReturnType<typeof useFilters>;

export function useFilters() {
  const from = useSince();
  return { ...(from === undefined ? {} : { from }), ...queriesOf('who', 'action', 'subject') };
}

/** The API tells no changes of tokens and logins. */
const ACCESS_EVERY_MS = 5_000;

interface AuditPage {
  readonly log: AuditLog;
  readonly filters: AuditFilters;
  readonly paging: Paging;
}

export function useAuditPage({ log, filters, paging }: AuditPage) {
  const { id: org } = useOrg();
  const query = { ...filters, ...pageQuery(paging) };
  return useQuery({
    key: `audit ${log === 'org' ? org : '*'} ${JSON.stringify(query)}`,
    kinds: log === 'org' ? ['audit'] : [],
    ...(log === 'org' ? {} : { everyMs: ACCESS_EVERY_MS }),
    read: (options) =>
      log === 'org'
        ? api.GET('/v1/orgs/{org}/audit', { params: { path: { org }, query }, ...options })
        : api.GET('/v1/audit', { params: { query }, ...options }),
  });
}

export function readAuditCsv(log: AuditLog, org: string, query: AuditFilters) {
  return log === 'org'
    ? api.GET('/v1/orgs/{org}/audit.csv', { params: { path: { org }, query }, parseAs: 'blob' })
    : api.GET('/v1/audit.csv', { params: { query }, parseAs: 'blob' });
}
