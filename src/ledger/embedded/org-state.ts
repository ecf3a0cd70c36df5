/** One org's state: named tables of fields, logs, producers, and the order in which holds fall due. */
import { decodeHold, encodeHold, type HoldRecord, isHoldRecord } from '../codec.js';
import type { Log, LogEntry, Reply, Table } from '../port.js';

export type Value = string | number;

/** Called for every change (undefined: deleted), so that the embedded ledger can persist it. */
export type ChangeListener = (
  org: string,
  place: Table | Log,
  field: string,
  value: Value | undefined,
) => void;

/** A table's fields. */
export class Fields {
  readonly map = new Map<string, Value>();
  constructor(
    private readonly org: string,
    private readonly name: Table,
    private readonly witness: ChangeListener | undefined,
  ) {}

  text(field: string): string | undefined {
    const value = this.map.get(field);
    return value === undefined ? undefined : String(value);
  }

  number(field: string): number {
    return Number(this.map.get(field) ?? 0);
  }

  set(field: string, value: Value): void {
    this.map.set(field, value);
    this.witness?.(this.org, this.name, field, value);
  }

  delete(field: string): void {
    if (this.map.delete(field)) this.witness?.(this.org, this.name, field, undefined);
  }
}

export interface Producer {
  seq: number;
  reply: Reply;
}

export class OrgState {
  readonly tables = new Map<Table, Fields>();
  readonly logs: Record<Log, LogEntry[]> = { journal: [], audit: [], outbox: [] };
  readonly producers = new Map<string, Producer>();
  /** Hold ids by expiry, then id: the order in which Redis' sorted set has them. */
  readonly due: { at: number; id: string }[] = [];
  readonly org: Fields;
  private lastEntry = { at: 0, count: 0 };

  constructor(
    readonly id: string,
    private readonly witness?: ChangeListener,
  ) {
    this.org = this.table('org');
  }

  table(name: Table): Fields {
    let fields = this.tables.get(name);
    if (fields === undefined) {
      fields = new Fields(this.id, name, this.witness);
      this.tables.set(name, fields);
    }
    return fields;
  }

  /** A record that cannot be read counts as missing: it must not stop its org. */
  hold(id: string): HoldRecord | undefined {
    const text = this.table('holds').text(id);
    return text === undefined || !isHoldRecord(text) ? undefined : decodeHold(text);
  }

  putHold(id: string, record: HoldRecord, before: HoldRecord | undefined): void {
    if (before !== undefined) this.unschedule(id, before.expiresAt);
    this.schedule(id, record.expiresAt);
    this.table('holds').set(id, encodeHold(record));
  }

  dropHold(id: string, record: HoldRecord): void {
    this.unschedule(id, record.expiresAt);
    this.table('holds').delete(id);
  }

  /**
   * Whether the call `<producer>.<number>` has run here, as far as the org can show. A producer runs its numbers one by one, so
   * that the org has all calls of a producer up to its last number.
   */
  hasRun(call: string): boolean {
    const dot = call.lastIndexOf('.');
    const last = this.producers.get(call.slice(0, Math.max(0, dot)))?.seq ?? 0;
    const number = Number(call.slice(dot + 1));
    return number >= 1 && number <= last;
  }

  /** Ids are made by the org's time and never go back, whatever the clock did. */
  append(log: Log, text: string, now: number): void {
    const { lastEntry } = this;
    if (now > lastEntry.at) this.lastEntry = { at: now, count: 0 };
    else lastEntry.count += 1;
    const entry = { id: entryId(this.lastEntry.at, this.lastEntry.count), text };
    this.logs[log].push(entry);
    this.witness?.(this.id, log, entry.id, text);
  }

  /** Forgets the log's entries up to `to`. */
  trim(log: Log, to: string): void {
    const entries = this.logs[log];
    let count = 0;
    for (const entry of entries) {
      if (entry.id > to) break;
      this.witness?.(this.id, log, entry.id, undefined);
      count += 1;
    }
    entries.splice(0, count);
  }

  dropTable(name: Table): void {
    const fields = this.tables.get(name);
    if (fields === undefined) return;
    for (const field of [...fields.map.keys()]) fields.delete(field);
    this.tables.delete(name);
  }

  /** Takes up an entry from disk. */
  restoreEntry(log: Log, entry: LogEntry): void {
    this.logs[log].push(entry);
    this.passEntry(entry.id);
  }

  /** Ids go on after this one. */
  private passEntry(id: string): void {
    if (id <= entryId(this.lastEntry.at, this.lastEntry.count)) return;
    const [at = '0', count = '0'] = id.split('-');
    this.lastEntry = { at: Number(at), count: Number(count) };
  }

  /** After all fields and entries are back: the order of expiry, and the ids of entries that were folded since. */
  restoreOrder(): void {
    this.passEntry(this.org.text('fold') ?? '');
    // One that cannot be read is due at once, and dropped.
    for (const id of this.table('holds').map.keys()) this.schedule(id, this.hold(id)?.expiresAt ?? 0);
  }

  /** Forgets an expiry that is not that of the hold's record, and a record that cannot be read. */
  dropDue({ at, id }: { readonly at: number; readonly id: string }): void {
    this.unschedule(id, at);
    if (this.hold(id) === undefined) this.table('holds').delete(id);
  }

  private schedule(id: string, at: number): void {
    this.due.splice(this.place(id, at), 0, { at, id });
  }

  private unschedule(id: string, at: number): void {
    const place = this.place(id, at);
    // A record that was put here by hand may have another time than it was scheduled by.
    if (this.due[place]?.id === id) this.due.splice(place, 1);
  }

  private place(id: string, at: number): number {
    let low = 0;
    let high = this.due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.due[middle];
      const before = entry !== undefined && (entry.at < at || (entry.at === at && entry.id < id));
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Fixed width, so that ids sort as text. */
function entryId(at: number, count: number): string {
  return `${String(at).padStart(15, '0')}-${String(count).padStart(9, '0')}`;
}
