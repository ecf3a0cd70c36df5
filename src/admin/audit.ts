/** The audit log: every change by an admin, oldest first. */
import Type from 'typebox';
import { openBook } from '../ledger/view/book.js';
import { instant } from '../ledger/view/lines.js';
import type { Admin, App } from './admin.js';
import { members, PAGE_SIZE_MAX, path } from './validate.js';

const ListQuery = members({
  cursor: Type.Optional(Type.String({ maxLength: 64, pattern: '^[0-9-]*$' })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX })),
});

const PAGE_SIZE = 100;

interface Entry {
  readonly at: number;
  readonly [member: string]: unknown;
}

export function auditRoutes(app: App, { ledger, quotas }: Admin): void {
  const schema = { params: path('org'), querystring: ListQuery };
  app.get('/orgs/:org/audit', { schema }, async (request) => {
    const { cursor = '', pageSize = PAGE_SIZE } = request.query;
    const book = await openBook(ledger, quotas, request.params.org);
    const entries = await ledger.log(book.id, 'audit', cursor, pageSize);
    const items = entries.map(({ id, text }) => {
      const entry = JSON.parse(text) as Entry;
      return { id, ...entry, at: instant(entry.at) };
    });
    // There may always come more: the last id is where to go on, now or later.
    return { items, cursor: entries.at(-1)?.id ?? (cursor === '' ? null : cursor) };
  });
}
