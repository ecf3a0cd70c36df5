/** The limits of a copy, decoded: lists and sums of 10,000 parse none of them again. */
import { decodeLimit } from '../../ledger/codec.js';
import type { Table } from '../../ledger/port.js';
import { type LimitLine, parseLine } from '../../ledger/view/limit-lines.js';
import type { Limit } from '../../quota/limit.js';
import { Turns } from '../http/turns.js';
import type { DecodedRows, TableOf } from './decoded-rows.js';

export interface LimitRow {
  readonly line: LimitLine;
  readonly limit: Limit;
}

export class LimitRows implements DecodedRows {
  private rows = new Map<string, LimitRow>();
  private tableOf: TableOf = () => undefined;
  built = false;

  /** By line. */
  get all(): ReadonlyMap<string, LimitRow> {
    return this.rows;
  }

  reads(table: Table): boolean {
    return table === 'limits';
  }

  async build(tableOf: TableOf): Promise<void> {
    this.tableOf = tableOf;
    const rows = new Map<string, LimitRow>();
    const turns = new Turns();
    for (const field of tableOf('limits')?.keys() ?? []) {
      this.decode(field, rows);
      if (turns.isDue()) await turns.next();
    }
    this.rows = rows;
    this.built = true;
  }

  update(table: Table, fields: Iterable<string>): void {
    if (table === 'limits') for (const field of fields) this.decode(field, this.rows);
  }

  private decode(field: string, rows: Map<string, LimitRow>): void {
    const text = this.tableOf('limits')?.get(field);
    const line = parseLine(field);
    if (text === undefined || line === undefined) rows.delete(field);
    else rows.set(field, { line, limit: decodeLimit(text) });
  }
}
