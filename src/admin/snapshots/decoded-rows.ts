import type { Table } from '../../ledger/port.js';

export type TableOf = (table: Table) => ReadonlyMap<string, string> | undefined;

/** What is decoded from copied tables, and follows their changes. */
export interface DecodedRows {
  readonly built: boolean;
  reads(table: Table): boolean;
  /** `names`: of all copied tables. */
  build(tableOf: TableOf, names: readonly Table[]): Promise<void>;
  /** After these fields of the table have changed. */
  update(table: Table, fields: Iterable<string>): void;
}
