// Rows that are kept sorted: equal to sorting them anew, whatever changed, also while they are sorted for the first time.
import t from 'tap';
import { type Page, pageOf } from '../../src/admin/http/paging.js';
import { SortedRows } from '../../src/admin/snapshots/sorted-rows.js';
import { seededBelow } from '../support/random.js';

interface Row {
  readonly id: string;
  rank: number;
}

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROWS = 3_000;

function rowsOf(count: number, pick: (below: number) => number): Map<string, Row> {
  return new Map(Array.from({ length: count }, (_, at) => [`r${at}`, { id: `r${at}`, rank: pick(50) }]));
}

function sortedBy(rows: Iterable<Row>, sign: number): string[] {
  const before = (a: Row, b: Row): boolean => a.rank < b.rank || (a.rank === b.rank && a.id < b.id);
  return [...rows].sort((a, b) => (before(a, b) ? -sign : sign)).map(({ id }) => id);
}

function sourceOf(rows: ReadonlyMap<string, Row>) {
  return {
    rows: () => rows.values(),
    has: (row: Row) => rows.get(row.id) === row,
    id: ({ id }: Row) => id,
    rank: ({ rank }: Row) => rank,
  };
}

t.test(`random changes (SEED=${SEED})`, async (t) => {
  const pick = seededBelow(SEED);
  const rows = rowsOf(ROWS, pick);
  const sorted = new SortedRows(sourceOf(rows));
  const change = (): void => {
    const id = `r${pick(ROWS + 200)}`;
    const row = rows.get(id);
    if (row === undefined) rows.set(id, { id, rank: pick(50) });
    else if (pick(3) === 0) rows.delete(id);
    else row.rank = pick(50);
    const changed = row ?? rows.get(id);
    if (changed !== undefined) sorted.touch(changed);
  };
  const first = sorted.list();
  for (let changes = 0; changes < 20; changes += 1) {
    change();
    await new Promise(setImmediate);
  }
  await first;
  for (let round = 0; round < 20; round += 1) {
    const list = await sorted.list();
    t.same(
      list.map(({ id }) => id),
      sortedBy(rows.values(), 1),
      `round ${round}`,
    );
    // A few are moved at once, more in turns; after very many it is sorted anew.
    const most = round === 10 ? 40_000 : round % 3 === 0 ? 1_500 : 100;
    for (let changes = pick(most); changes > 0; changes -= 1) change();
  }
});

t.test('pages of sorted rows are those of a list that is selected', async (t) => {
  const rows = rowsOf(1_000, seededBelow(SEED));
  const source = sourceOf(rows);
  const sorted = new SortedRows(source);
  const listing = {
    ...{ rows: rows.values(), id: source.id, accept: ({ rank }: Row) => rank % 3 !== 0 },
    ranks: { rank: source.rank },
  };
  for (const sort of ['rank', '-rank']) {
    const found: string[] = [];
    let page: Page<Row> | undefined;
    do {
      const query = { sort, pageSize: 70, ...(page === undefined ? {} : { cursor: page.cursor ?? '' }) };
      page = await pageOf({ ...listing, sorted: () => sorted.list() }, query);
      const selected = await pageOf({ ...listing, rows: rows.values() }, query);
      t.same(page, selected, sort);
      found.push(...page.rows.map(({ id }) => id));
    } while (page.cursor !== null);
    const all = [...rows.values()].filter(listing.accept);
    t.same(found, sortedBy(all, sort === 'rank' ? 1 : -1), sort);
  }
});
