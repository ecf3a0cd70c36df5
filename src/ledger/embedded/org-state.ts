/** One org's state: named tables of fields, logs, producers, and the order in which holds fall due. */
import { FEED_KEPT } from '../change-feed.js';
import { decodeHold, encodeHold, type HoldRecord, isHoldRecord } from '../codec.js';
import { type Log, type LogEntry, type Reply, type StagedTable, stagedPrefix, type Table } from '../port.js';

export type Value = string | number;

const FEED_SLACK = 100;

/** Logs that are kept on disk. */
export type PersistedLog = Exclude<Log, 'changes'>;

/**
 * Called for every change (undefined: deleted), so that the ledger can persist it. `prefix`: `<org>/<table or log>/`,
 * always the same string.
 */
export type ChangeListener = (prefix: string, field: string, value: Value | undefined) => void;

/** A table's fields. */
export class Fields {
  readonly map = new Map<string, Value>();
  constructor(
    private readonly prefix: string,
    private readonly onChange: ChangeListener | undefined,
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
    this.onChange?.(this.prefix, field, value);
  }

  delete(field: string): void {
    if (this.map.delete(field)) this.onChange?.(this.prefix, field, undefined);
  }
}

/** Counters of a cycle. */
interface CycleCounters {
  readonly consumed: Fields;
  readonly held: Fields;
}

export interface Producer {
  seq: number;
  reply: Reply;
}

export class OrgState {
  readonly tables = new Map<Table, Fields>();
  readonly logs: Record<Log, LogEntry[]> = {
    journal: [],
    audit: [],
    outbox: [],
    events: [],
    changes: [],
  };
  readonly producers = new Map<string, Producer>();
  /** Hold ids ordered by expiry, then id, like Redis' sorted set. */
  readonly due: { at: number; id: string }[] = [];
  readonly org: Fields;
  /** By start: every call opens its cycles, and building the tables' names costs more than finding them. */
  private readonly cycles = new Map<number, CycleCounters>();
  private lastEntry = { at: 0, count: 0 };
  private readonly logPrefixes: Readonly<Record<PersistedLog, string>>;

  constructor(
    readonly id: string,
    private readonly onChange?: ChangeListener,
  ) {
    const prefixOf = (log: Log): string => `${id}/${log}/`;
    this.logPrefixes = {
      journal: prefixOf('journal'),
      audit: prefixOf('audit'),
      outbox: prefixOf('outbox'),
      events: prefixOf('events'),
    };
    this.org = this.table('org');
  }

  table(name: Table): Fields {
    let fields = this.tables.get(name);
    if (fields === undefined) {
      fields = new Fields(`${this.id}/${name}/`, this.onChange);
      this.tables.set(name, fields);
    }
    return fields;
  }

  /** The prefix of fields of the staging that is current. */
  get staged(): string | undefined {
    const state = this.org.map.get('state');
    return state === 'open' ? undefined : stagedPrefix(state as string | undefined);
  }

  /** A field of the directory: of the current staging, where it has the field. */
  directory(table: StagedTable, field: string): string | undefined {
    const fields = this.table(table);
    const { staged } = this;
    const value = staged === undefined ? undefined : fields.text(staged + field);
    if (value === undefined) return fields.text(field);
    return value === '' ? undefined : value;
  }

  counters(start: number): CycleCounters {
    let found = this.cycles.get(start);
    if (found === undefined) {
      found = { consumed: this.table(`consumed:${start}`), held: this.table(`held:${start}`) };
      this.cycles.set(start, found);
    }
    return found;
  }

  /** An unreadable record counts as missing: it must not block its org. */
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
   * Returns whether the call `<producer>.<number>` has run here, as far as the org can prove. A producer runs its
   * numbers in order, so the org has all its calls up to the last number.
   */
  hasRun(call: string): boolean {
    const dot = call.lastIndexOf('.');
    const last = this.producers.get(call.slice(0, Math.max(0, dot)))?.seq ?? 0;
    const number = Number(call.slice(dot + 1));
    return number >= 1 && number <= last;
  }

  append(log: PersistedLog, text: string, now: number): void {
    const entry = this.add(log, text, now);
    this.onChange?.(this.logPrefixes[log], entry.id, text);
  }

  /** Appends to the change feed. It is not persisted: nothing that follows it outlives the process. */
  noteChanged(text: string, now: number): void {
    const { changes } = this.logs;
    this.add('changes', text, now);
    // Trimmed rarely, because removing the first entry moves all others.
    if (changes.length > FEED_KEPT + FEED_SLACK) changes.splice(0, changes.length - FEED_KEPT);
  }

  /** Ids come from the org's time and never go back, whatever the clock does. */
  private add(log: Log, text: string, now: number): LogEntry {
    const { lastEntry } = this;
    if (now > lastEntry.at) this.lastEntry = { at: now, count: 0 };
    else lastEntry.count += 1;
    const entry = { id: entryId(this.lastEntry.at, this.lastEntry.count), text };
    this.logs[log].push(entry);
    return entry;
  }

  /** Forgets log entries up to `to`; returns how many. */
  trim(log: PersistedLog, to: string): number {
    const entries = this.logs[log];
    const count = this.placeAfter(log, to);
    for (const { id } of entries.slice(0, count)) this.onChange?.(this.logPrefixes[log], id, undefined);
    entries.splice(0, count);
    return count;
  }

  /** The place of the first log entry after this id. */
  placeAfter(log: Log, id: string): number {
    const entries = this.logs[log];
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle]?.id ?? '') > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets log entries from before a time; yields after each `some` entries. */
  *trimBefore(log: PersistedLog, before: number, some: number): Generator<void> {
    const end = entryId(before, 0);
    for (;;) {
      const entries = this.logs[log];
      const last = entries.findLast((entry, index) => index < some && entry.id < end);
      if (last === undefined) return;
      this.trim(log, last.id);
      yield;
    }
  }

  /** Deletes a table; yields after each `some` fields. */
  *dropTable(name: Table, some: number): Generator<void> {
    const fields = this.tables.get(name);
    if (fields === undefined) return;
    let count = 0;
    for (const field of fields.map.keys()) {
      fields.delete(field);
      count += 1;
      if (count % some === 0) yield;
    }
    this.tables.delete(name);
    this.cycles.clear();
  }

  /** Adds an entry that was read from disk. */
  restoreEntry(log: PersistedLog, entry: LogEntry): void {
    this.logs[log].push(entry);
    this.passEntry(entry.id);
  }

  /** Later ids continue after this one. */
  private passEntry(id: string): void {
    if (id <= entryId(this.lastEntry.at, this.lastEntry.count)) return;
    const [at = '0', count = '0'] = id.split('-');
    this.lastEntry = { at: Number(at), count: Number(count) };
  }

  /**
   * Runs after all fields and entries are restored: rebuilds the order of expiry, and the ids of entries that were
   * folded since.
   */
  restoreOrder(): void {
    this.passEntry(this.org.text('fold') ?? '');
    // An unreadable hold is due at once and is dropped.
    for (const id of this.table('holds').map.keys()) this.schedule(id, this.hold(id)?.expiresAt ?? 0);
  }

  /** Forgets an expiry that differs from the hold's record, and an unreadable record. */
  dropDue({ at, id }: { readonly at: number; readonly id: string }): void {
    this.unschedule(id, at);
    if (this.hold(id) === undefined) this.table('holds').delete(id);
  }

  private schedule(id: string, at: number): void {
    this.due.splice(this.place(id, at), 0, { at, id });
  }

  private unschedule(id: string, at: number): void {
    const place = this.place(id, at);
    // A record that was edited by hand may have another time than its schedule.
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
