/**
 * The change feed of an org: each commit, and each registration of a user, appends the fields that it changed to the log `changes`.
 * Copies of tables for lists follow it. It keeps the last changes only: a reader that finds `FEED_KEPT` entries or more may
 * have missed some.
 *
 * An entry has a line per field, `<table>=<field>`; `<table>=*` stands for any field of the table.
 */
import { type Change, STAGED_TABLES, type Table } from './port.js';

/** Entries kept; Redis may keep some more. */
export const FEED_KEPT = 1_000;
/** More fields of one table in one commit are noted as the whole table: an entry stays short. */
const FIELDS_MAX = 500;
const WHOLE = '*';

/**
 * The entry of these changes; '' if none of them is in a table that lists show. `staging`: one that becomes current with them; it
 * may hold any field.
 */
export function feedText(changes: readonly Change[], staging = ''): string {
  const byTable = new Map<Table, Set<string>>();
  for (const change of changes) {
    const table = 'set' in change ? change.set : 'del' in change ? change.del : change.incr;
    if (!isListed(table)) continue;
    const fields = byTable.get(table) ?? new Set();
    byTable.set(table, fields.add(change.field));
  }
  const lines = [...byTable].map(([table, fields]) => linesOf(table, fields));
  const staged = staging === '' ? [] : STAGED_TABLES.map((table) => `${table}=${WHOLE}`);
  return [...lines, ...staged].join('\n');
}

/** Whether lists follow the changes of a table. Those of `consumed` by calls are in the journal instead, and those of `held` nowhere. */
export function isListed(table: Table): boolean {
  return LISTED.has(table) || table.startsWith('consumed:') || table.startsWith('held:');
}

const LISTED: ReadonlySet<Table> = new Set<Table>(['members', 'groups', 'limits', 'records', 'keys']);

function linesOf(table: Table, fields: ReadonlySet<string>): string {
  if (fields.size > FIELDS_MAX) return `${table}=${WHOLE}`;
  return [...fields].map((field) => `${table}=${field}`).join('\n');
}

/** Fields that changed, by table; `all`: any field may have changed. */
export class ChangedFields {
  readonly fields = new Map<Table, Set<string>>();
  readonly all = new Set<Table>();

  addEntry(text: string): void {
    for (const line of text.split('\n')) {
      const at = line.indexOf('=');
      const table = line.slice(0, at) as Table;
      const field = line.slice(at + 1);
      if (field === WHOLE) this.all.add(table);
      else this.add(table, field);
    }
  }

  /** The table was read as a whole. */
  forget(table: Table): void {
    this.all.delete(table);
    this.fields.delete(table);
  }

  add(table: Table, field: string): void {
    const fields = this.fields.get(table) ?? new Set();
    this.fields.set(table, fields.add(field));
  }
}
