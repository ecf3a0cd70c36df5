/**
 * A copy of tables of one org for lists. A table is scanned once; from then on the copy follows the change feed and the journal,
 * and reads the fields again that they name. A field that is read twice is harmless, so an entry may be followed that the scan
 * has seen already.
 *
 * Held units are in neither log. Their table has the lines of open holds only, so it is scanned at each refresh.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ChangedFields } from '../../ledger/change-feed.js';
import { isStagedTable, type OrgStore, type Table } from '../../ledger/port.js';
import { scanAll, scanSettled } from '../../ledger/scan-all.js';
import type { DecodedRows } from './decoded-rows.js';
import { FollowedLogs } from './followed-logs.js';
import { LimitRows } from './limit-rows.js';
import { UserRows } from './user-rows.js';

export type CopySource = Pick<OrgStore, 'read' | 'scan' | 'endStaging' | 'log' | 'logBack'>;

/** Fields and entries of one store call: well below 2 ms of the store's time. */
const FIELDS_A_READ = 250;
/** Well below the time for which entries stay in the journal before they are folded. */
const FOLLOW_MS = 1_000;

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
  private readonly logs: FollowedLogs;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private isRunning = false;
  private userRows: UserRows | undefined;
  private limitRows: LimitRows | undefined;
  /** When the last refresh began (performance.now): the copy has every change up to then. */
  currentAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ledger: CopySource,
    private readonly org: string,
    private readonly quotas: readonly string[],
  ) {
    this.logs = new FollowedLogs(ledger, org);
  }

  get(table: Table): ReadonlyMap<string, string> | undefined {
    return this.tables.get(table);
  }

  /** The users, ready to be sorted and filtered; undefined before a refresh `withUsers`. */
  get users(): UserRows | undefined {
    return this.userRows;
  }

  /** The limits, decoded; undefined before a refresh with their table. */
  get limits(): LimitRows | undefined {
    return this.limitRows;
  }

  has({ names, withUsers }: Wanted): boolean {
    if (withUsers && this.userRows?.built !== true) return false;
    if (names.includes('limits') && this.limitRows?.built !== true) return false;
    return names.every((name) => this.tables.has(name));
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
    if (names.includes('limits')) this.limitRows ??= new LimitRows();
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
    await this.logs.begin();
    const changed = new ChangedFields();
    const scanned = new Set<Table>();
    let followedAt: number;
    do {
      const names = this.unread(changed);
      await this.scanAll(names, changed);
      for (const name of names) scanned.add(name);
      followedAt = performance.now();
      await this.logs.follow(this.wanted, changed);
    } while (this.unread(changed).length > 0);
    await Promise.all([...this.wanted].filter(isHeld).map((name) => this.scan(name)));
    await this.readAgain(changed);
    for (const rows of [this.userRows, this.limitRows])
      if (rows !== undefined) await this.decode(rows, changed, scanned);
    this.currentAt = followedAt;
    this.isRunning = false;
  }

  /** Tables that are new here, or that the logs do not tell the changes of. */
  private unread({ all }: ChangedFields): Table[] {
    return [...this.wanted].filter((name) => !isHeld(name) && (!this.tables.has(name) || all.has(name)));
  }

  /**
   * Side by side, as a scan waits for the store most of the time. The logs are followed meanwhile: a scan of a large table takes a second
   * or more, and entries that are folded leave the journal.
   */
  private async scanAll(names: readonly Table[], changed: ChangedFields): Promise<void> {
    if (names.length === 0) return;
    for (const name of names) changed.forget(name);
    let isScanning = true;
    const scans = Promise.all(names.map((name) => this.scan(name))).finally(() => {
      isScanning = false;
    });
    const follow = async (): Promise<void> => {
      while (isScanning) {
        await Promise.race([scans, delay(FOLLOW_MS, undefined, { ref: false })]);
        if (isScanning) await this.logs.follow(this.wanted, changed);
      }
    };
    await Promise.all([scans, follow()]);
  }

  private async scan(name: Table): Promise<void> {
    const fields = await (isStagedTable(name) ? scanSettled : scanAll)(this.ledger, this.org, name);
    if (this.wanted.has(name)) this.tables.set(name, fields);
  }

  private async decode(rows: DecodedRows, { fields }: ChangedFields, scanned: Set<Table>): Promise<void> {
    if (!rows.built || [...scanned].some((name) => rows.reads(name)))
      await rows.build((name) => this.tables.get(name), [...this.tables.keys()]);
    else for (const [name, changed] of fields) rows.update(name, changed);
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

/** Held units are in no log. */
function isHeld(name: Table): boolean {
  return name.startsWith('held:');
}
