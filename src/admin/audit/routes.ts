/** The audit logs: every change by an admin, newest first. Each org has one; the log of admin tokens is separate. */
import Type, { type Static } from 'typebox';
import type { LogEntry } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { readOrg } from '../../ledger/view/org-view.js';
import type { Admin, App } from '../admin.js';
import { members, PAGE_SIZE_MAX, path } from '../http/validate.js';
import { TOKEN_ORG } from '../tokens/token-store.js';

const ListQuery = members({
  /** The id of an entry. */
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}-[0-9]{1,15}$' })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX })),
  order: Type.Optional(Type.Enum(['newest', 'oldest'])),
});
type ListQuery = Static<typeof ListQuery>;

const PAGE_SIZE = 100;

export function auditRoutes(app: App, admin: Admin): void {
  const schema = { params: path('org'), querystring: ListQuery };
  app.get('/orgs/:org/audit', { schema }, async ({ params, query }) => {
    const view = await readOrg(admin, params.org);
    return readAudit(admin, view.id, query);
  });

  app.get('/audit', { schema: { querystring: ListQuery } }, async ({ query }) => {
    return readAudit(admin, TOKEN_ORG, query);
  });
}

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
  readonly [member: string]: unknown;
}

function entryOf({ id, text }: LogEntry) {
  const entry = JSON.parse(text) as Entry;
  return { id, ...entry, at: instant(entry.at) };
}
