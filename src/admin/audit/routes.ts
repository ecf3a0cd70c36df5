/** The audit logs: every change by an admin, newest first. Each org has one; the log of admin tokens is separate. */
import Type from 'typebox';
import type { LogEntry } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { readOrg } from '../../ledger/view/org-view.js';
import { ADMINS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { PAGE_SIZE_MAX } from '../http/validate.js';
import { TOKEN_ORG } from '../tokens/token-store.js';
import { AuditList } from './schemas.js';

const ListQuery = {
  /** The id of an entry. */
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}-[0-9]{1,15}$' })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX })),
  order: Type.Optional(Type.Enum(['newest', 'oldest'])),
};
type ListQuery = MembersOf<typeof ListQuery>;

const PAGE_SIZE = 100;

const ofOrg = endpoint({
  id: 'listAudit',
  method: 'GET',
  path: '/orgs/:org/audit',
  summary: 'List the changes of an org: who, when, from what, to what, why',
  roles: READERS,
  query: ListQuery,
  answers: { 200: AuditList },
  handle: async (admin, { params, query }) => {
    const view = await readOrg(admin, params.org);
    return ok(await readAudit(admin, view.id, query));
  },
});

const ofTokens = endpoint({
  id: 'listTokenAudit',
  method: 'GET',
  path: '/audit',
  summary: 'List the changes of admin tokens',
  roles: ADMINS,
  reach: 'all',
  query: ListQuery,
  answers: { 200: AuditList },
  handle: async (admin, { query }) => ok(await readAudit(admin, TOKEN_ORG, query)),
});

export const AUDIT_ENDPOINTS = [ofOrg, ofTokens];

async function readAudit({ ledger }: Admin, view: string, query: ListQuery) {
  const { cursor = '', pageSize = PAGE_SIZE, order = 'newest' } = query;
  if (order === 'oldest') {
    const entries = await ledger.log(view, 'audit', cursor, pageSize);
    // More entries may always follow, so the last id is always a valid cursor.
    return { items: entries.map(entryOf), cursor: entries.at(-1)?.id ?? (cursor === '' ? null : cursor) };
  }
  // One more than the page, to detect whether there is a next page.
  const entries = await ledger.logBack(view, 'audit', cursor, pageSize + 1);
  const page = entries.slice(0, pageSize);
  return { items: page.map(entryOf), cursor: entries.length > pageSize ? (page.at(-1)?.id ?? null) : null };
}

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
