import type { OrgStore, Table } from './port.js';

/** Fields per page: well below 2 ms of the store's time. */
const PAGE_FIELDS = 500;

/**
 * Reads a whole table directly. Changes during the read may be missed; callers that must detect them compare the view's
 * version.
 */
export async function scanAll(
  ledger: Pick<OrgStore, 'scan'>,
  org: string,
  table: Table,
): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  let cursor = '0';
  do {
    const page = await ledger.scan(org, table, cursor, PAGE_FIELDS);
    for (const [field, value] of page.entries) fields.set(field, value);
    cursor = page.cursor;
  } while (cursor !== '0');
  return fields;
}
