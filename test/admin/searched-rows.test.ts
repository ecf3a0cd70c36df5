// A search finds what looking at each row would find, whatever was added, changed and removed.
import t from 'tap';
import { SearchedRows } from '../../src/admin/snapshots/searched-rows.js';
import { seededBelow } from '../support/random.js';

interface Row {
  sought: string;
}

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROWS = 2_000;

t.test(`random changes (SEED=${SEED})`, async (t) => {
  const pick = seededBelow(SEED);
  const rows = new Set<Row>();
  const searched = new SearchedRows<Row>();
  const text = (): string => `user${pick(ROWS)}\nname ${pick(50)}`;
  const add = (): void => {
    const row = { sought: text() };
    rows.add(row);
    searched.put(row);
  };
  const change = (row: Row): void => {
    row.sought = text();
    searched.put(row);
  };
  const remove = (row: Row): void => {
    rows.delete(row);
    searched.remove(row);
  };
  for (let row = 0; row < ROWS; row += 1) add();
  for (let round = 0; round < 30; round += 1) {
    for (const part of [`user${pick(ROWS)}`, `name ${pick(50)}`, 'r1', 'not there', '4\nuser']) {
      const expected = [...rows].filter(({ sought }) => sought.includes(part));
      const found = await searched.find(part, ROWS);
      t.same(new Set(found), new Set(expected), JSON.stringify(part));
      t.equal(found?.length, expected.length, 'each once');
    }
    for (let changes = 0; changes < 100; changes += 1) {
      const row = [...rows][pick(rows.size)];
      const kind = pick(3);
      if (row === undefined || kind === 0) add();
      else if (kind === 1) change(row);
      else remove(row);
    }
  }
});

t.test('more than are asked for', async (t) => {
  const searched = new SearchedRows<Row>();
  for (let row = 0; row < 600; row += 1) searched.put({ sought: `user${row}` });
  t.equal(await searched.find('user', 599), undefined);
  t.equal((await searched.find('user', 600))?.length, 600);
  t.same(await searched.find('user599', 1), [{ sought: 'user599' }]);
});
