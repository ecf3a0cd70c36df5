/** Rows in the order of a rank: sorted once, then kept in order by moving the rows that changed. */
import { setImmediate as turn } from 'node:timers/promises';
import { comparePlaces, type Placed, type Rank } from '../http/paging.js';
import { Turns } from '../http/turns.js';

interface RowSource<Row> {
  readonly rows: () => Iterable<Row>;
  readonly has: (row: Row) => boolean;
  /** Unique: orders equal rows. */
  readonly id: (row: Row) => string;
  readonly rank: (row: Row) => Rank;
}

/** Rows sorted in one turn of the event loop. */
const RUN_ROWS = 512;
/** After more changes it is sorted anew, in turns. */
const CHANGED_MAX = 5_000;

export class SortedRows<Row> {
  private placed: readonly Placed<Row>[] = [];
  private readonly changed = new Set<Row>();
  private sorting: Promise<void> | undefined;
  private isSorting = false;

  constructor(private readonly source: RowSource<Row>) {}

  /** The row was added, changed or removed. */
  touch(row: Row): void {
    this.changed.add(row);
  }

  /** Ascending, then by id. The list is never changed. */
  async list(): Promise<readonly Placed<Row>[]> {
    if (this.changed.size > CHANGED_MAX && !this.isSorting) this.sorting = undefined;
    this.sorting ??= this.sort();
    const { sorting } = this;
    await sorting;
    // Another caller has found too many changes.
    if (sorting !== this.sorting) return this.list();
    this.moveChanged();
    return this.placed;
  }

  /** Rows that change meanwhile are moved afterwards. */
  private async sort(): Promise<void> {
    this.isSorting = true;
    this.changed.clear();
    const placed: Placed<Row>[] = [];
    const turns = new Turns();
    for (const row of this.source.rows()) {
      placed.push(this.place(row));
      if (turns.isDue()) await turns.next();
    }
    this.placed = await sortInTurns(placed);
    this.isSorting = false;
  }

  private moveChanged(): void {
    const { changed, source } = this;
    if (changed.size === 0) return;
    const others = this.placed.filter(({ row }) => !changed.has(row));
    const moved = [...changed].filter(source.has).map((row) => this.place(row));
    this.placed = merged(others, moved.sort(comparePlaces));
    changed.clear();
  }

  private place(row: Row): Placed<Row> {
    return { row, rank: this.source.rank(row), id: this.source.id(row) };
  }
}

async function sortInTurns<Row>(placed: readonly Placed<Row>[]): Promise<readonly Placed<Row>[]> {
  let runs: (readonly Placed<Row>[])[] = [];
  for (let at = 0; at < placed.length; at += RUN_ROWS) {
    runs.push(placed.slice(at, at + RUN_ROWS).sort(comparePlaces));
    await turn();
  }
  while (runs.length > 1) {
    const longer: (readonly Placed<Row>[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      longer.push(merged(runs[at] ?? [], runs[at + 1] ?? []));
      await turn();
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

function merged<Row>(a: readonly Placed<Row>[], b: readonly Placed<Row>[]): readonly Placed<Row>[] {
  if (b.length === 0) return a;
  const all: Placed<Row>[] = [];
  let at = 0;
  for (const one of a) {
    for (let other = b[at]; other !== undefined && comparePlaces(other, one) < 0; other = b[at]) {
      all.push(other);
      at += 1;
    }
    all.push(one);
  }
  for (; at < b.length; at += 1) all.push(b[at] as Placed<Row>);
  return all;
}
