/** Tables of history in the database of a persisted ledger: read from it when they are asked for, with what is not written yet. */
import type { Page, Table } from '../port.js';
import type { HistoryTables } from './history.js';
import type { ChangeListener, Value } from './org-state.js';

/** What this needs of the database. */
export interface HistoryDisk {
  readonly onChange: ChangeListener;
  /** Values of keys; undefined if absent. */
  values(keys: readonly string[]): Promise<(string | undefined)[]>;
  /** At most `count` keys and values after `after` and before `end`, in order. */
  range(after: string, end: string, count: number): Promise<[key: string, value: string][]>;
  /** Changes under a prefix that are not in the database yet, by field. */
  pending(prefix: string): ReadonlyMap<string, Value | undefined>;
}

const DROPPED_AT_ONCE = 512;
/** Sorts after every character of a field. */
const LAST = '\uffff';
const CURSOR_MARK = '>';

export class HistoryOnDisk implements HistoryTables {
  constructor(private readonly disk: HistoryDisk) {}

  async get(org: string, table: Table, fields: readonly string[]): Promise<(string | null)[]> {
    const prefix = `${org}/${table}/`;
    // Before the database is read: what is written meanwhile is in one of both.
    const pending = this.disk.pending(prefix);
    const stored = await this.disk.values(fields.map((field) => prefix + field));
    return fields.map((field, index) => {
      const value = pending.has(field) ? pending.get(field) : stored[index];
      return value === undefined ? null : String(value);
    });
  }

  put(org: string, table: Table, field: string, value: string): void {
    this.disk.onChange(`${org}/${table}/`, field, value);
  }

  /** Fields that are not written yet come with the first page, and may come again. */
  async scan(org: string, table: Table, cursor: string, count: number): Promise<Page> {
    const prefix = `${org}/${table}/`;
    const pending = this.disk.pending(prefix);
    const after = cursor.startsWith(CURSOR_MARK) ? prefix + cursor.slice(CURSOR_MARK.length) : prefix;
    const found = await this.disk.range(after, prefix + LAST, count);
    const stored = found.map(([key, value]) => [key.slice(prefix.length), value] as const);
    const unwritten = [...pending].flatMap(([field, value]) =>
      value === undefined ? [] : [[field, String(value)] as const],
    );
    const last = stored.at(-1)?.[0];
    return {
      cursor: found.length < count || last === undefined ? '0' : CURSOR_MARK + last,
      entries: [...(cursor === '0' ? unwritten : []), ...stored.filter(([field]) => !pending.has(field))],
    };
  }

  async drop(org: string, table: Table): Promise<void> {
    let cursor = '0';
    do {
      const page = await this.scan(org, table, cursor, DROPPED_AT_ONCE);
      for (const [field] of page.entries) this.disk.onChange(`${org}/${table}/`, field, undefined);
      cursor = page.cursor;
    } while (cursor !== '0');
  }
}
