/**
 * Reads a range of history, to the last request: the folded texts, and the entries of the journal that they do not contain yet.
 *
 * Folding goes on meanwhile. The journal is read first; then each text says up to which entry it contains the journal. An entry that is
 * folded between both reads is in the text, and one that came later than both is left for the next reader.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeJournal } from '../ledger/codec.js';
import type { OrgStore, Table, Want } from '../ledger/port.js';
import { Additions } from './additions.js';
import { BEFORE_ALL, type Cell, type EntryId, entryIdOf, isAfter, type Packed, unpack } from './packed.js';
import { type HistoryKind, type RangeTable, tablesOf } from './tables.js';

export type HistoryStore = Pick<OrgStore, 'read' | 'log' | 'scan'>;

export interface HistoryRange {
  readonly org: string;
  readonly timeZone: string;
  readonly kind: HistoryKind;
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
  /** Left out: all subjects. */
  readonly fields?: readonly string[];
}

export interface Place {
  readonly day: string;
  /** As in tables.ts. */
  readonly hour: string;
}

/** Called for each cell. It may come in several parts, and for the days around the range too. */
// biome-ignore lint/complexity/useMaxParams: called for every cell of a range, where an object would be allocated each time.
export type Visit = (field: string, name: string, place: Place, cell: Cell) => void;

const PAGE_ENTRIES = 50;
/** Values of one call: keeps it below 2 ms. */
const PAGE_VALUES = 100;

export async function readHistory(store: HistoryStore, range: HistoryRange, visit: Visit): Promise<void> {
  const tables = tablesOf(range.kind, range.from, range.to);
  const { org, fields } = range;
  if (fields !== undefined) {
    const texts = tables.flatMap((table) => fields.map((field) => ({ table, field, visit })));
    await readTexts(store, range, texts);
    return;
  }
  const tail = await Tail.read(store, range);
  for (const table of tables) await readAll({ store, org, tail, visit }, table);
}

/** The text of a field in a table. */
export interface HistoryText {
  readonly table: RangeTable;
  readonly field: string;
  readonly visit: Visit;
}

/** Reads texts of any tables, and the journal once. */
export async function readTexts(
  store: HistoryStore,
  about: Pick<HistoryRange, 'org' | 'timeZone'>,
  texts: readonly HistoryText[],
): Promise<void> {
  const tail = await Tail.read(store, about);
  for (let at = 0; at < texts.length; at += PAGE_VALUES) {
    const some = texts.slice(at, at + PAGE_VALUES);
    const wants = some.map(({ table, field }): Want => ({ table: table.table, fields: [field] }));
    const { values } = await store.read(about.org, wants);
    for (const [index, { table, field, visit }] of some.entries())
      visitText({ tail, visit }, table, field, values[index]?.[0] ?? null);
    await nextTurn();
  }
}

interface Reading {
  readonly store: HistoryStore;
  readonly org: string;
  readonly tail: Tail;
  readonly visit: Visit;
}

async function readAll(reading: Reading, table: RangeTable): Promise<void> {
  // A scan may return a field twice.
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const page = await reading.store.scan(reading.org, table.table, cursor, PAGE_VALUES);
    for (const [field, text] of page.entries) {
      if (seen.has(field)) continue;
      seen.add(field);
      visitText(reading, table, field, text);
    }
    cursor = page.cursor;
    await nextTurn();
  } while (cursor !== '0');
  for (const field of reading.tail.fieldsOf(table.table))
    if (!seen.has(field)) visitText(reading, table, field, null);
}

// biome-ignore lint/complexity/useMaxParams: called for every text of a range, where an object would be allocated each time.
function visitText(
  { tail, visit }: Pick<Reading, 'tail' | 'visit'>,
  table: RangeTable,
  field: string,
  text: string | null,
): void {
  const folded = text === null ? undefined : unpack(text);
  if (folded !== undefined) visitCells(visit, table, field, folded);
  for (const { id, packed } of tail.of(table.table, field))
    if (isAfter(id, folded?.last ?? BEFORE_ALL)) visitCells(visit, table, field, packed);
}

// biome-ignore lint/complexity/useMaxParams: called for every text of a range, where an object would be allocated each time.
function visitCells(visit: Visit, { at }: RangeTable, field: string, { sections }: Packed): void {
  for (const [name, cells] of sections) for (const [slot, cell] of cells) visit(field, name, at(slot), cell);
}

interface TailPart {
  readonly id: EntryId;
  readonly packed: Packed;
}

/** What the entries of the journal add that were not folded when it was read. */
class Tail {
  private readonly byTable = new Map<Table, Map<string, TailPart[]>>();

  static async read(
    store: HistoryStore,
    { org, timeZone }: Pick<HistoryRange, 'org' | 'timeZone'>,
  ): Promise<Tail> {
    const tail = new Tail();
    const { values } = await store.read(org, [{ table: 'org', fields: ['fold'] }]);
    let after = values[0]?.[0] ?? '';
    for (;;) {
      const page = await store.log(org, 'journal', after, PAGE_ENTRIES);
      for (const { id, text } of page) tail.add(entryIdOf(id), text, timeZone);
      if (page.length < PAGE_ENTRIES) return tail;
      after = page.at(-1)?.id ?? after;
      await nextTurn();
    }
  }

  of(table: Table, field: string): readonly TailPart[] {
    return this.byTable.get(table)?.get(field) ?? [];
  }

  fieldsOf(table: Table): Iterable<string> {
    return this.byTable.get(table)?.keys() ?? [];
  }

  private add(id: EntryId, text: string, timeZone: string): void {
    const additions = new Additions();
    for (const line of decodeJournal(text)) additions.add(line, 1, timeZone);
    for (const { table, field, packed } of additions.list()) {
      const fields = this.byTable.get(table) ?? new Map<string, TailPart[]>();
      this.byTable.set(table, fields);
      const parts = fields.get(field);
      if (parts === undefined) fields.set(field, [{ id, packed }]);
      else parts.push({ id, packed });
    }
  }
}
