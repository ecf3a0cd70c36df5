/**
 * Reads a range of history, to the last request: the folded texts, and the entries of the journal that they do not contain yet.
 *
 * Folding goes on meanwhile. The journal is read first; then each text says up to which entry it contains the journal. An entry that is
 * folded between both reads is in the text, and one that came later than both is left for the next reader.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OrgStore, Table, Want } from '../ledger/port.js';
import { GroupNames } from './group-numbers.js';
import { BEFORE_ALL, type Cell, type Cells, type EntryId, isAfter, type Packed, unpack } from './packed.js';
import { type HistoryKind, type RangeTable, tablesOf } from './tables.js';
import { type HistoryOrg, Tail, type TailView } from './tail.js';

export interface HistoryStore extends Pick<OrgStore, 'read' | 'log' | 'scan'> {
  /** Returns a tail that is kept. Left out: each reader reads its own. */
  tail?(about: HistoryOrg): Promise<TailView>;
}

export interface HistoryRange extends HistoryOrg {
  readonly kind: HistoryKind;
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
  /** Left out: all subjects. */
  readonly fields?: readonly string[];
  /** Whether names of sections have the ids of groups. Left out: they may have numbers instead. */
  readonly withGroups?: boolean;
  /** Left out: the present one. */
  readonly tail?: TailView;
  /** Called for each text, with the last entry that it contains. */
  readonly onText?: (table: Table, field: string, last: EntryId) => void;
}

export interface Place {
  readonly day: string;
  /** As in tables.ts. */
  readonly hour: string;
}

/** Called for each cell. It may come in several parts, and for the days around the range too. */
// biome-ignore lint/complexity/useMaxParams: called for every cell of a range, where an object would be allocated each time.
export type Visit = (field: string, name: string, place: Place, cell: Cell) => void;

/** Values of one call: keeps it below 2 ms. */
const PAGE_VALUES = 100;
/** Values of one page of a scan, which sends one table's only. */
const SCAN_VALUES = 250;
/** Values unpacked in one turn of the event loop: about half a millisecond. */
const VALUES_A_TURN = 32;

export async function readHistory(store: HistoryStore, range: HistoryRange, visit: Visit): Promise<void> {
  const tables = tablesOf(range.kind, range.from, range.to);
  const { org, fields, onText } = range;
  const tail = range.tail ?? (await tailOf(store, range));
  const groups = range.withGroups === true ? new GroupNames(store, org) : undefined;
  const reading = { store, org, tail, onText, groups };
  if (fields === undefined) for (const table of tables) await readAll({ ...reading, visit }, table);
  else
    await readSome(
      reading,
      tables.flatMap((table) => fields.map((field) => ({ table, field, visit }))),
    );
}

function tailOf(store: HistoryStore, about: HistoryOrg): Promise<TailView> {
  return store.tail?.(about) ?? new Tail(store, about).current();
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
  about: HistoryOrg,
  texts: readonly HistoryText[],
): Promise<void> {
  const tail = await tailOf(store, about);
  await readSome({ store, org: about.org, tail, onText: undefined, groups: undefined }, texts);
}

async function readSome(reading: Omit<Reading, 'visit'>, texts: readonly HistoryText[]): Promise<void> {
  const { store, org, groups } = reading;
  for (let at = 0; at < texts.length; at += PAGE_VALUES) {
    const some = texts.slice(at, at + PAGE_VALUES);
    const wants = some.map(({ table, field }): Want => ({ table: table.table, fields: [field] }));
    const values = (await store.read(org, wants)).values.flat();
    await groups?.learn(values);
    for (const [index, { table, field, visit }] of some.entries())
      visitText({ ...reading, visit }, table, field, values[index] ?? null);
    await nextTurn();
  }
}

interface Reading {
  readonly store: HistoryStore;
  readonly org: string;
  readonly tail: TailView;
  readonly visit: Visit;
  readonly onText: HistoryRange['onText'];
  /** Undefined: nobody asks for groups. */
  readonly groups: GroupNames | undefined;
}

async function readAll(reading: Reading, table: RangeTable): Promise<void> {
  // A scan may return a field twice.
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const page = await reading.store.scan(reading.org, table.table, cursor, SCAN_VALUES);
    await reading.groups?.learn(page.entries.map(([, text]) => text));
    for (const [field, text] of page.entries) {
      if (seen.has(field)) continue;
      seen.add(field);
      visitText(reading, table, field, text);
      if (seen.size % VALUES_A_TURN === 0) await nextTurn();
    }
    cursor = page.cursor;
  } while (cursor !== '0');
  for (const field of reading.tail.fieldsOf(table.table))
    if (!seen.has(field)) visitText(reading, table, field, null);
}

// biome-ignore lint/complexity/useMaxParams: called for every text of a range, where an object would be allocated each time.
function visitText(
  { tail, visit, onText, groups }: Reading,
  table: RangeTable,
  field: string,
  text: string | null,
): void {
  const folded = text === null ? undefined : unpack(text);
  if (folded !== undefined) {
    onText?.(table.table, field, folded.last);
    for (const [name, cells] of folded.sections)
      visitSection(visit, table, field, groups?.nameOf(name) ?? name, cells);
  }
  for (const { id, packed } of tail.of(table.table, field))
    if (isAfter(id, folded?.last ?? BEFORE_ALL)) visitCells(visit, table, field, packed);
}

// biome-ignore lint/complexity/useMaxParams: called for every text of a range, where an object would be allocated each time.
export function visitCells(visit: Visit, table: RangeTable, field: string, { sections }: Packed): void {
  for (const [name, cells] of sections) visitSection(visit, table, field, name, cells);
}

// biome-ignore lint/complexity/useMaxParams: called for every section of a range, where an object would be allocated each time.
function visitSection(visit: Visit, { at }: RangeTable, field: string, name: string, cells: Cells): void {
  for (const [slot, cell] of cells) visit(field, name, at(slot), cell);
}
