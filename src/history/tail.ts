/**
 * The entries of an org's journal that are not folded yet, by what they add to the history. A tail that is kept reads only the entries
 * that it has not read before.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeJournal } from '../ledger/codec.js';
import type { LogEntry, OrgStore, Table } from '../ledger/port.js';
import { type Addition, Additions } from './additions.js';
import { BEFORE_ALL, type EntryId, entryIdOf, isAfter, type Packed } from './packed.js';
import { SerialTask } from './serial-task.js';

type TailStore = Pick<OrgStore, 'read' | 'log'>;

export interface HistoryOrg {
  readonly org: string;
  readonly timeZone: string;
}

interface TailPart {
  readonly id: EntryId;
  readonly packed: Packed;
}

/** The entries up to one of them: those that are read later are not in it. */
export interface TailView {
  readonly until: EntryId;
  /** Of the org's data: it changes when they are replaced. */
  readonly epoch: string;
  of(table: Table, field: string): Iterable<TailPart>;
  fieldsOf(table: Table): Iterable<string>;
}

export interface TailEntry {
  readonly id: EntryId;
  readonly additions: readonly Addition[];
}

const PAGE_ENTRIES = 50;
/** Of entries parsed in one turn of the event loop: about half a millisecond. */
const LENGTH_A_TURN = 8_192;

export class Tail {
  private entries: TailEntry[] = [];
  private index = new TailIndex();
  /** As the store writes it; undefined before the first reading. */
  private last: string | undefined;
  /** All entries after this one, up to the last, are here. */
  private since = BEFORE_ALL;
  /** Entries up to this one were folded at the last reading: texts have them. */
  private folded = BEFORE_ALL;
  private readonly pins = new Set<EntryId>();
  private epoch = '';
  private readonly reading = new SerialTask(() => this.read());

  constructor(
    private readonly store: TailStore,
    private readonly about: HistoryOrg,
  ) {}

  /** To the last entry. Callers that wait share a reading. */
  current(): Promise<TailView> {
    return this.reading.run();
  }

  /** The entries after one of them, up to another; undefined if some of them are not here any more. */
  between(after: EntryId, until: EntryId): readonly TailEntry[] | undefined {
    if (isAfter(this.since, after)) return undefined;
    return this.entries.filter(({ id }) => isAfter(id, after) && !isAfter(id, until));
  }

  /** Keeps the entries after this one, though they are folded meanwhile, until the returned function is called. */
  pin(after: EntryId): () => void {
    // Each pin is an object of its own.
    const pin = { ...after };
    this.pins.add(pin);
    return () => this.pins.delete(pin);
  }

  private async read(): Promise<TailView> {
    await this.dropFolded();
    let length = 0;
    for (;;) {
      const page = await this.store.log(this.about.org, 'journal', this.last ?? '', PAGE_ENTRIES);
      for (const entry of page) {
        this.add(entry);
        length += entry.text.length;
        if (length < LENGTH_A_TURN) continue;
        length = 0;
        await nextTurn();
      }
      if (page.length < PAGE_ENTRIES) return viewOf(this.index, this.epoch, entryIdOf(this.last ?? ''));
    }
  }

  /** What is folded is in the texts that are read after this. Views that were returned before keep their entries. */
  private async dropFolded(): Promise<void> {
    const { values } = await this.store.read(this.about.org, [{ table: 'org', fields: ['fold', 'epoch'] }]);
    const [fold, epoch] = (values[0] ?? []).map((value) => value ?? '');
    const folded = entryIdOf(fold ?? '');
    const isReplaced = this.epoch !== epoch;
    if (isReplaced || this.last === undefined || isAfter(folded, entryIdOf(this.last))) {
      this.epoch = epoch ?? '';
      this.last = fold ?? '';
      this.entries = [];
      this.since = folded;
    } else if (isAfter(folded, this.folded)) this.since = firstOf([folded, ...this.pins]);
    else return;
    this.folded = folded;
    this.entries = this.entries.filter(({ id }) => isAfter(id, this.since));
    this.index = new TailIndex();
    for (const entry of this.entries) if (isAfter(entry.id, folded)) this.index.add(entry);
  }

  private add({ id, text }: LogEntry): void {
    const additions = new Additions();
    for (const line of decodeJournal(text)) additions.add(line, 1, this.about.timeZone);
    const entry = { id: entryIdOf(id), additions: [...additions.list()] };
    this.entries.push(entry);
    this.index.add(entry);
    this.last = id;
  }
}

function firstOf(ids: readonly EntryId[]): EntryId {
  return ids.reduce((first, id) => (isAfter(first, id) ? id : first));
}

class TailIndex {
  private readonly byTable = new Map<Table, Map<string, TailPart[]>>();

  add({ id, additions }: TailEntry): void {
    for (const { table, field, packed } of additions) {
      const fields = this.byTable.get(table) ?? new Map<string, TailPart[]>();
      this.byTable.set(table, fields);
      const parts = fields.get(field);
      if (parts === undefined) fields.set(field, [{ id, packed }]);
      else parts.push({ id, packed });
    }
  }

  of(table: Table, field: string): readonly TailPart[] {
    return this.byTable.get(table)?.get(field) ?? [];
  }

  fieldsOf(table: Table): Iterable<string> {
    return this.byTable.get(table)?.keys() ?? [];
  }
}

function viewOf(index: TailIndex, epoch: string, until: EntryId): TailView {
  return {
    until,
    epoch,
    of: (table, field) => index.of(table, field).filter(({ id }) => !isAfter(id, until)),
    fieldsOf: (table) => index.fieldsOf(table),
  };
}
