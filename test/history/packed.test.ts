// A packed history reads back as it was written, whatever its numbers.
import t from 'tap';
import { addCell, emptyPacked, pack, unpack } from '../../src/history/packed.js';
import { placesOf, tablesOf } from '../../src/history/tables.js';

const MAX = 9_000_000_000_000_000;

t.test('units, raw amounts and slots of any size and sign', async (t) => {
  const packed = { ...emptyPacked(), last: { ms: 1_796_000_000_123, seq: 41 } };
  const numbers = [1, 31, 32, 33, 1_023, 1_024, 2 ** 31, 2 ** 40 + 1, MAX];
  for (const [index, units] of numbers.entries()) {
    addCell(packed, 'usage|maps||', 7 * index, { units, raw: units });
    addCell(packed, 'ai|chat|gpt-4o%2A|k1', 300 - index, { units, raw: MAX - units });
    addCell(packed, 'ai|chat||', index, { units: -units, raw: index % 2 === 0 ? units : -1 });
  }
  const again = unpack(pack(packed));
  t.same(again.last, packed.last);
  for (const [name, cells] of packed.sections)
    t.same(new Map([...(again.sections.get(name) ?? [])].sort()), new Map([...cells].sort()), name);
  t.equal(pack(again), pack(packed));
});

t.test('what came to 0 is left out', async (t) => {
  const packed = emptyPacked();
  addCell(packed, 'a|b||', 3, { units: 5, raw: 5 });
  addCell(packed, 'a|b||', 3, { units: -5, raw: -5 });
  t.same([...unpack(pack(packed)).sections], []);
});

t.test('a text that was changed by hand is an error', async (t) => {
  t.throws(() => unpack('AA;a|b||:z'), /ends within a number/);
});

t.test('an hour has its places, and a repeated hour one of its own', async (t) => {
  t.same(placesOf('2026-10-25T02').shared, { table: 'history:shared:2026-10-25', slot: 4 });
  t.same(placesOf('2026-10-25T02+01:00').shared, { table: 'history:shared:2026-10-25', slot: 5 });
  for (const kind of ['userhours', 'shared'] as const) {
    const place =
      kind === 'shared' ? placesOf('2026-10-25T02+01:00').shared : placesOf('2026-10-25T02+01:00').userHours;
    const table = tablesOf(kind, '2026-10-20', '2026-11-01').find((one) => one.table === place.table);
    t.same(table?.at(place.slot), { day: '2026-10-25', hour: 'T02+' }, kind);
  }
  const days = tablesOf('userdays', '2026-10-30', '2026-11-01');
  t.same(
    days.map(({ table }) => table),
    ['history:userdays:2026-10', 'history:userdays:2026-11'],
  );
  t.same(days[1]?.at(placesOf('2026-11-01T09').userDays.slot), { day: '2026-11-01', hour: '' });
});
