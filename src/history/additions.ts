/** What lines of the journal add to the history: by table and field, the cells of each section. */
import type { JournalLine } from '../ledger/codec.js';
import type { Table } from '../ledger/port.js';
import { hourBucket } from '../quota/cycle.js';
import { refusedName, sharedName, userDetail, userName } from './names.js';
import { addCell, type Cell, emptyPacked, type Packed } from './packed.js';
import { groupField, ORG_FIELD, type Place, placesOf } from './tables.js';

export interface Addition {
  readonly table: Table;
  readonly field: string;
  readonly packed: Packed;
}

export class Additions {
  private readonly byTable = new Map<Table, Map<string, Packed>>();
  size = 0;

  /** Adds a line that occurs `times` times. */
  add(line: JournalLine, times: number, timeZone: string): void {
    const places = placesOf(hourBucket(line.at, timeZone));
    const { user, action, key, model, refused } = line;
    if (refused !== undefined) {
      const { scope, group } = refused;
      const name = refusedName(line.charges[0]?.quota ?? '', action, scope, group);
      const count = refused.count * times;
      const cell = { units: count, raw: count };
      this.addUser(places, user, name, cell);
      this.put(places.shared, ORG_FIELD, name, cell);
      if (scope === 'group') this.put(places.shared, groupField(group), name, cell);
      return;
    }
    const detail = userDetail(key, line.groups);
    for (const { quota, units, raw } of line.charges) {
      const cell = { units: units * times, raw: raw * times };
      this.addUser(places, user, userName(quota, action, model, detail), cell);
      const shared = sharedName(quota, action, model);
      this.put(places.shared, ORG_FIELD, shared, cell);
      for (const group of line.groups) this.put(places.shared, groupField(group), shared, cell);
    }
  }

  /** In the order in which the lines name them: the same lines give the same list. */
  *list(): Generator<Addition> {
    for (const [table, fields] of this.byTable)
      for (const [field, packed] of fields) yield { table, field, packed };
  }

  // biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
  private addUser(places: ReturnType<typeof placesOf>, user: string, name: string, cell: Cell): void {
    this.put(places.userHours, user, name, cell);
    this.put(places.userDays, user, name, cell);
  }

  // biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
  private put({ table, slot }: Place, field: string, name: string, cell: Cell): void {
    let fields = this.byTable.get(table);
    if (fields === undefined) {
      fields = new Map();
      this.byTable.set(table, fields);
    }
    let packed = fields.get(field);
    if (packed === undefined) {
      packed = emptyPacked();
      fields.set(field, packed);
      this.size += 1;
    }
    addCell(packed, name, slot, cell);
  }
}
