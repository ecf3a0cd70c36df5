/**
 * A copy of tables of one org for lists. A table is scanned once; from then on the copy follows the change feed and the journal,
 * and reads the fields again that they name. A field that is read twice is harmless, so an entry may be followed that the scan
 * has seen already.
 *
 * Held units are in neither log. Their table has the lines of open holds only, so it is scanned at each refresh.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { ChangedFields, FEED_KEPT } from '../../ledger/change-feed.js';
import { decodeJournal } from '../../ledger/codec.js';
import { isStagedTable, type Log, type OrgStore, type Table } from '../../ledger/port.js';
import { scanAll, scanSettled } from '../../ledger/scan-all.js';
import { lineOf } from '../../quota/id.js';
import { UserRows } from './user-rows.js';

export type CopySource = Pick<OrgStore, 'read' | 'scan' | 'endStaging' | 'log' | 'logBack'>;

/** Fields and entries of one store call: well below 2 ms of the store's time. */
const FIELDS_A_READ = 250;
const ENTRIES_A_PAGE = 50;
/** Journal lines parsed in one turn of the event loop. */
const LINES_A_TURN = 128;

/** Tables besides those that were wanted before. */
export interface Wanted {
  readonly names: readonly Table[];
  readonly withUsers: boolean;
}

type Fields = Map<string, string>;

/** A copy whose refresh failed is not used again: it may lack what its positions say that it has. */
export class OrgCopy {
  private readonly tables = new Map<Table, Fields>();
  private readonly wanted = new Set<Table>();
  private epoch: string | undefined;
  /** Entries up to these were followed. */
  private changesAt = '';
  private journalAt = '';
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private isRunning = false;
  private userRows: UserRows | undefined;
  /** When the last refresh began (performance.now): the copy has every change up to then. */
  currentAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ledger: CopySource,
    private readonly org: string,
    private readonly quotas: readonly string[],
  ) {}

  get(table: Table): ReadonlyMap<string, string> | undefined {
    return this.tables.get(table);
  }

  /** The users, ready to be sorted and filtered; undefined before a refresh `withUsers`. */
  get users(): UserRows | undefined {
    return this.userRows;
  }

  /** A refresh is running or waits for one. */
  get refreshing(): boolean {
    return this.next !== undefined || this.isRunning;
  }

  /** The number of copied fields: what it takes of the memory. */
  get size(): number {
    let size = 0;
    for (const fields of this.tables.values()) size += fields.size;
    return size;
  }

  /** Has every change up to now, in these tables and those that were wanted before. Calls that wait share a refresh. */
  refresh({ names, withUsers }: Wanted): Promise<void> {
    for (const name of names) this.want(name);
    if (withUsers) this.userRows ??= new UserRows(this.quotas);
    if (this.next === undefined) {
      this.next = this.running.then(() => this.bringUp());
      this.running = this.next;
    }
    return this.next;
  }

  /** Counters of a cycle take the place of those of earlier ones. */
  private want(name: Table): void {
    const [kind, start] = name.split(':');
    if (start !== undefined)
      for (const other of this.wanted)
        if (other.startsWith(`${kind}:`) && Number(other.split(':')[1]) < Number(start)) this.forget(other);
    this.wanted.add(name);
  }

  private forget(name: Table): void {
    this.wanted.delete(name);
    this.tables.delete(name);
  }

  private async bringUp(): Promise<void> {
    // Who asks from here on needs the next refresh.
    this.next = undefined;
    this.isRunning = true;
    const begunAt = performance.now();
    if (this.epoch === undefined) await this.begin();
    const scanned = new Set<Table>();
    for (const name of this.wanted) {
      if (this.tables.has(name)) continue;
      await this.scan(name);
      scanned.add(name);
    }
    // A first scan of large tables takes a second: what changed meanwhile is followed from here on.
    const followedAt = scanned.size === 0 ? begunAt : performance.now();
    await this.follow(scanned);
    this.currentAt = followedAt;
    this.isRunning = false;
  }

  /** What the logs have by now is in each scan that begins after this. */
  private async begin(): Promise<void> {
    const [changesAt, journalAt] = await Promise.all([this.lastOf('changes'), this.lastOf('journal')]);
    const { epoch, fold } = await this.head();
    this.epoch = epoch;
    this.changesAt = changesAt;
    this.journalAt = isAfter(fold, journalAt) ? fold : journalAt;
  }

  private async lastOf(log: Log): Promise<string> {
    const [last] = await this.ledger.logBack(this.org, log, '', 1);
    return last?.id ?? '';
  }

  private async head(): Promise<{ epoch: string; fold: string }> {
    const { values } = await this.ledger.read(this.org, [{ table: 'org', fields: ['epoch', 'fold'] }]);
    const [epoch, fold] = values[0] ?? [];
    return { epoch: epoch ?? '', fold: fold ?? '' };
  }

  private async scan(name: Table): Promise<void> {
    const fields = await (isStagedTable(name) ? scanSettled : scanAll)(this.ledger, this.org, name);
    if (this.wanted.has(name)) this.tables.set(name, fields);
  }

  private async follow(scanned: Set<Table>): Promise<void> {
    const changed = new ChangedFields();
    await this.followFeed(changed);
    await this.followJournal(changed);
    for (const name of this.tables.keys()) {
      const isHeld = name.startsWith('held:');
      if (!changed.all.has(name) && (!isHeld || scanned.has(name))) continue;
      await this.scan(name);
      scanned.add(name);
    }
    await this.readAgain(changed);
    const { userRows } = this;
    if (userRows === undefined) return;
    if (!userRows.built || [...scanned].some((name) => userRows.reads(name)))
      await userRows.build((name) => this.tables.get(name), [...this.tables.keys()]);
    else for (const [name, fields] of changed.fields) userRows.update(name, fields);
  }

  private async followFeed(changed: ChangedFields): Promise<void> {
    let count = 0;
    for await (const { id, text } of this.entriesAfter('changes', this.changesAt)) {
      changed.addEntry(text);
      this.changesAt = id;
      count += 1;
    }
    // So many may be all that the feed kept.
    if (count >= FEED_KEPT) for (const name of this.tables.keys()) changed.all.add(name);
  }

  private async followJournal(changed: ChangedFields): Promise<void> {
    const counters = [...this.tables.keys()].filter((name) => name.startsWith('consumed:'));
    const from = this.journalAt;
    let parsed = 0;
    for await (const { id, text } of this.entriesAfter('journal', from)) {
      this.journalAt = id;
      if (counters.length === 0) continue;
      for (const field of linesOf(text)) for (const name of counters) changed.add(name, field);
      parsed += text.length;
      if (parsed < LINES_A_TURN * 64) continue;
      parsed = 0;
      await turn();
    }
    const { epoch, fold } = await this.head();
    if (epoch !== this.epoch) throw new Error(`The data of ${this.org} was replaced while it was copied`);
    // Entries that are folded leave the journal: some may have left it unseen.
    if (!isAfter(fold, from)) return;
    for (const name of counters) changed.all.add(name);
    if (isAfter(fold, this.journalAt)) this.journalAt = fold;
  }

  private async *entriesAfter(log: Log, after: string) {
    for (let last = after; ; ) {
      const page = await this.ledger.log(this.org, log, last, ENTRIES_A_PAGE);
      yield* page;
      last = page.at(-1)?.id ?? last;
      if (page.length < ENTRIES_A_PAGE) return;
    }
  }

  private async readAgain({ fields, all }: ChangedFields): Promise<void> {
    for (const [name, names] of fields) {
      const copy = this.tables.get(name);
      if (copy === undefined || all.has(name)) continue;
      const list = [...names];
      for (let from = 0; from < list.length; from += FIELDS_A_READ)
        await this.readFields(name, copy, list.slice(from, from + FIELDS_A_READ));
    }
  }

  private async readFields(name: Table, copy: Fields, fields: readonly string[]): Promise<void> {
    const { values } = await this.ledger.read(this.org, [{ table: name, fields }]);
    for (const [index, field] of fields.entries()) {
      const value = values[0]?.[index];
      if (value === undefined || value === null) copy.delete(field);
      else copy.set(field, value);
    }
  }
}

/** The counter lines that a journal entry moved. */
function* linesOf(text: string): Generator<string> {
  for (const { user, groups, charges, refused } of decodeJournal(text)) {
    // A refusal moved nothing.
    if (refused !== undefined) continue;
    for (const { quota } of charges) {
      yield lineOf(quota, 'user', user);
      for (const group of groups) yield lineOf(quota, 'group', group);
      yield lineOf(quota, 'org', '');
    }
  }
}

/** Whether an entry was appended after another one; '' is before all. */
function isAfter(one: string, other: string): boolean {
  const [at = 0, count = 0] = numbersOf(one);
  const [otherAt = 0, otherCount = 0] = numbersOf(other);
  return at === otherAt ? count > otherCount : at > otherAt;
}

function numbersOf(entry: string): number[] {
  return entry === '' ? [] : entry.split('-').map(Number);
}
