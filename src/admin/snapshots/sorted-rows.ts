/** Rows in the order of a rank: sorted once, then kept in order by moving the rows that changed. */
import { setImmediate as turn } from 'node:timers/promises';
import { comparePlaces, countOfFirst, type Placed, type Rank } from '../http/paging.js';
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
/** Changed rows moved in one turn: each move copies the list. */
const MOVED_AT_ONCE = 300;
/** After more changes it is sorted anew. */
const CHANGED_MAX = 3_000;

export class SortedRows<Row> {
  private placed: readonly Placed<Row>[] = [];
  /** Where each row is in the list. */
  private readonly places = new Map<Row, Placed<Row>>();
  private readonly changed = new Set<Row>();
  private sorting: Promise<void> | undefined;
  private isSorting = false;

  constructor(private readonly source: RowSource<Row>) {}

  /** The row was added, changed or removed. */
  touch(row: Row): void {
    if (this.sorting !== undefined) this.changed.add(row);
  }

  /** Ascending, then by id. The list is never changed. */
  async list(): Promise<readonly Placed<Row>[]> {
    for (;;) {
      if (this.changed.size > CHANGED_MAX && !this.isSorting) this.sorting = undefined;
      this.sorting ??= this.sort();
      await this.sorting;
      // Another caller has found too many changes.
      if (this.isSorting) continue;
      // The last ones without a turn for others: the list is then as the rows are.
      const isLast = this.changed.size <= MOVED_AT_ONCE;
      this.moveSome();
      if (isLast) return this.placed;
      await turn();
    }
  }

  /** Rows that change meanwhile are moved afterwards. */
  private async sort(): Promise<void> {
    this.isSorting = true;
    this.changed.clear();
    this.places.clear();
    const placed: Placed<Row>[] = [];
    const turns = new Turns();
    for (const row of this.source.rows()) {
      placed.push(this.place(row));
      if (turns.isDue()) await turns.next();
    }
    this.placed = await sortInTurns(placed);
    this.isSorting = false;
  }

  private moveSome(): void {
    const { changed, places, source } = this;
    if (changed.size === 0) return;
    const gone: number[] = [];
    const come: Placed<Row>[] = [];
    for (const row of [...changed].slice(0, MOVED_AT_ONCE)) {
      changed.delete(row);
      const before = places.get(row);
      if (before !== undefined) gone.push(placeIn(this.placed, before));
      places.delete(row);
      if (source.has(row)) come.push(this.place(row));
    }
    gone.sort((a, b) => a - b);
    this.placed = withMore(without(this.placed, gone), come.sort(comparePlaces));
  }

  private place(row: Row): Placed<Row> {
    const placed = { row, rank: this.source.rank(row), id: this.source.id(row) };
    this.places.set(row, placed);
    return placed;
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
    for (let at = 0; at < runs.length; at += 2) longer.push(await merged(runs[at] ?? [], runs[at + 1] ?? []));
    runs = longer;
  }
  return runs[0] ?? [];
}

async function merged<Row>(
  a: readonly Placed<Row>[],
  b: readonly Placed<Row>[],
): Promise<readonly Placed<Row>[]> {
  if (b.length === 0) return a;
  const all: Placed<Row>[] = [];
  const turns = new Turns();
  let at = 0;
  for (const one of a) {
    for (let other = b[at]; other !== undefined && comparePlaces(other, one) < 0; other = b[at]) {
      all.push(other);
      at += 1;
    }
    all.push(one);
    if (turns.isDue()) await turns.next();
  }
  return at === b.length ? all : all.concat(b.slice(at));
}

/** How many of the sorted list come before it. */
function placeIn<Row>(list: readonly Placed<Row>[], place: Placed<Row>): number {
  return countOfFirst(list, (other) => comparePlaces(other, place) < 0);
}

/** The list without the elements at these places, which are in ascending order. */
function without<One>(list: readonly One[], places: readonly number[]): readonly One[] {
  const parts = places.map((place, at) => list.slice(at === 0 ? 0 : (places[at - 1] ?? 0) + 1, place));
  return joined(...parts, list.slice((places.at(-1) ?? -1) + 1));
}

/** The list and a few more rows, all in order. */
function withMore<Row>(list: readonly Placed<Row>[], more: readonly Placed<Row>[]): readonly Placed<Row>[] {
  const places = more.map((one) => placeIn(list, one));
  const parts = more.flatMap((one, at) => [list.slice(at === 0 ? 0 : places[at - 1], places[at]), [one]]);
  return joined(...parts, list.slice(places.at(-1) ?? 0));
}

/** Copies whole parts, which is much faster than element by element. */
function joined<One>(...parts: readonly (readonly One[])[]): readonly One[] {
  return ([] as One[]).concat(...parts);
}
