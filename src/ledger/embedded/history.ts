/** Tables of history. They outgrow memory, so a persisted ledger keeps them on disk only. */
import type { Page, Table } from '../port.js';

export interface HistoryTables {
  /** One value per field; null if absent. */
  get(org: string, table: Table, fields: readonly string[]): Promise<(string | null)[]>;
  put(org: string, table: Table, field: string, value: string): void;
  /** As in the port. */
  scan(org: string, table: Table, cursor: string, count: number): Promise<Page>;
  drop(org: string, table: Table): Promise<void>;
}

export function isHistory(table: Table): boolean {
  return table.startsWith('history:');
}

/** For a ledger without a folder. */
export class HistoryInMemory implements HistoryTables {
  private readonly tables = new Map<string, Map<string, string>>();

  async get(org: string, table: Table, fields: readonly string[]): Promise<(string | null)[]> {
    const found = this.tables.get(`${org}/${table}`);
    return fields.map((field) => found?.get(field) ?? null);
  }

  put(org: string, table: Table, field: string, value: string): void {
    const name = `${org}/${table}`;
    const fields = this.tables.get(name) ?? new Map<string, string>();
    this.tables.set(name, fields.set(field, value));
  }

  async scan(org: string, table: Table, cursor: string, count: number): Promise<Page> {
    const from = Number(cursor);
    const all = [...(this.tables.get(`${org}/${table}`) ?? [])];
    const isLast = from + count >= all.length;
    return { cursor: isLast ? '0' : String(from + count), entries: all.slice(from, from + count) };
  }

  async drop(org: string, table: Table): Promise<void> {
    this.tables.delete(`${org}/${table}`);
  }
}
