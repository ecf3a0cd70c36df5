/** Finds rows by a part of their text. The texts of many rows stand in one string: a search skips the many that do not contain it. */
import { Turns } from '../http/turns.js';

interface SearchedRow {
  /** In lower case, without the line ends that stand between the texts of rows. */
  readonly sought: string;
}

interface Block<Row> {
  readonly rows: Set<Row>;
  /** Undefined: a row was added, changed or removed. */
  text: string | undefined;
}

const BLOCK_ROWS = 256;

export class SearchedRows<Row extends SearchedRow> {
  private readonly blocks: Block<Row>[] = [];
  private readonly blockOf = new Map<Row, Block<Row>>();

  /** The row was added, or its text changed. */
  put(row: Row): void {
    const block = this.blockOf.get(row) ?? this.openBlock();
    block.rows.add(row);
    block.text = undefined;
    this.blockOf.set(row, block);
  }

  remove(row: Row): void {
    const block = this.blockOf.get(row);
    if (block === undefined) return;
    block.rows.delete(row);
    block.text = undefined;
    this.blockOf.delete(row);
  }

  /** The rows whose text contains `part`; undefined where these are more than `most`. */
  async find(part: string, most: number): Promise<readonly Row[] | undefined> {
    const found: Row[] = [];
    const turns = new Turns();
    for (const block of this.blocks) {
      if (turns.isDue()) await turns.next();
      block.text ??= textOf(block.rows);
      if (!block.text.includes(part)) continue;
      for (const row of block.rows) if (row.sought.includes(part)) found.push(row);
      if (found.length > most) return undefined;
    }
    return found;
  }

  private openBlock(): Block<Row> {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.rows.size < BLOCK_ROWS) return last;
    const block: Block<Row> = { rows: new Set(), text: undefined };
    this.blocks.push(block);
    return block;
  }
}

function textOf(rows: Iterable<SearchedRow>): string {
  return Array.from(rows, ({ sought }) => sought).join('\n');
}
