import { type OrgStore, stagedPrefix, type Table } from './port.js';

/** Fields per page: well below 2 ms of the store, on a busy machine too; 1,000 take up to 6 ms there. */
const PAGE_FIELDS = 250;
/** A switch during a scan starts it again, so often. */
const TRIES_MAX = 4;

/**
 * Reads a whole table directly. Changes during the read may be missed; a caller that must detect them commits at the view's version,
 * or expects the fields that it changes (`was`).
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

type SettledStore = Pick<OrgStore, 'scan' | 'read' | 'endStaging'>;

/** The same for callers that commit nothing: a staging that becomes current meanwhile is seen as a whole, or not at all. */
export async function scanSettled(
  ledger: SettledStore,
  org: string,
  table: Table,
): Promise<Map<string, string>> {
  for (let tries = 1; ; tries += 1) {
    const before = await switchesOf(ledger, org);
    if (before.isMoving) await ledger.endStaging(org);
    const fields = await scanAll(ledger, org, table);
    const after = await switchesOf(ledger, org);
    if (after.count === before.count || tries === TRIES_MAX) return fields;
  }
}

async function switchesOf(ledger: SettledStore, org: string) {
  const { values } = await ledger.read(org, [{ table: 'org', fields: ['state', 'switches'] }]);
  const [state, count = null] = values[0] ?? [];
  return { isMoving: stagedPrefix(state ?? undefined) !== undefined, count };
}
