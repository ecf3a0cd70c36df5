/** The users of a copy, decoded: a list of 100,000 is filtered and sorted without parsing any of their records again. */
import { decodeMember, type Member } from '../../ledger/codec.js';
import type { Table } from '../../ledger/port.js';
import { lineOf, userIdOf } from '../../quota/id.js';
import type { Placed, Rank } from '../http/paging.js';
import { Turns } from '../http/turns.js';
import { type Profile, profileField, profileIn } from '../users/profile.js';
import { ActiveTimes, type ReadActive } from './active-times.js';
import type { DecodedRows, TableOf } from './decoded-rows.js';
import { SearchedRows } from './searched-rows.js';
import { SortedRows } from './sorted-rows.js';

export interface UserRow {
  readonly userKey: string;
  member: Member;
  profile: Profile;
  /** What a search looks at, in lower case. */
  sought: string;
  /** Internal units in the present cycle, in the order of the quotas. */
  readonly consumed: number[];
  /** The hour of the last charge, in ms; 0 for none, and until `readActive`. */
  activeAt: number;
}

const PROFILE = profileField('');

export class UserRows implements DecodedRows {
  private rows = new Map<string, UserRow>();
  private tableOf: TableOf = () => undefined;
  private consumedName: Table = 'consumed:0';
  /** By the name of the rank. */
  private readonly orders = new Map<string, SortedRows<UserRow>>();
  private searched = new SearchedRows<UserRow>();
  private active = this.newActiveTimes();
  built = false;

  /** `quotas`: the ids, in the order of `consumed`. */
  constructor(private readonly quotas: readonly string[]) {}

  values(): Iterable<UserRow> {
    return this.rows.values();
  }

  get(userKey: string): UserRow | undefined {
    return this.rows.get(userKey);
  }

  /** In ascending order of this rank. A name stands for the same rank each time. */
  sorted(name: string, rank: (row: UserRow) => Rank): Promise<readonly Placed<UserRow>[]> {
    let order = this.orders.get(name);
    if (order === undefined) {
      order = new SortedRows({
        rows: () => this.rows.values(),
        has: (row) => this.rows.get(row.userKey) === row,
        id: ({ userKey }) => userKey,
        rank,
      });
      this.orders.set(name, order);
    }
    return order.list();
  }

  /** The rows in which a search for this text, in lower case, finds something; undefined where these are more than `most`. */
  search(part: string, most: number): Promise<readonly UserRow[] | undefined> {
    return this.searched.find(part, most);
  }

  /** Brings `activeAt` of all rows up to date. `now`: the store's time. */
  readActive(now: number, read: ReadActive): Promise<void> {
    return this.active.bringUp(now, read);
  }

  reads(table: Table): boolean {
    return table === 'members' || table === 'records' || table.startsWith('consumed:');
  }

  async build(tableOf: TableOf, names: readonly Table[]): Promise<void> {
    this.tableOf = tableOf;
    this.consumedName = names.find((name) => name.startsWith('consumed:')) ?? this.consumedName;
    const rows = new Map<string, UserRow>();
    const searched = new SearchedRows<UserRow>();
    const turns = new Turns();
    for (const [userKey, text] of tableOf('members') ?? []) {
      const row = this.rowOf(userKey, text);
      rows.set(userKey, row);
      searched.put(row);
      if (turns.isDue()) await turns.next();
    }
    this.rows = rows;
    this.searched = searched;
    this.orders.clear();
    this.active = this.newActiveTimes();
    this.built = true;
  }

  /** After these fields of the table have changed. */
  update(table: Table, fields: Iterable<string>): void {
    if (table === 'members') for (const userKey of fields) this.updateMember(userKey);
    else if (table === 'records') for (const field of fields) this.updateProfile(field);
    else if (table === this.consumedName) for (const field of fields) this.updateConsumed(field);
  }

  private newActiveTimes(): ActiveTimes<UserRow> {
    return new ActiveTimes({ rows: () => this.rows.values(), onChange: (row) => this.touch(row) });
  }

  private rowOf(userKey: string, text: string): UserRow {
    const profile = this.profileOf(userKey);
    const consumed = this.quotas.map((quota) => this.consumedOf(lineOf(quota, 'user', userKey)));
    const sought = soughtIn(userKey, profile);
    return { userKey, member: decodeMember(text), profile, sought, consumed, activeAt: 0 };
  }

  private profileOf(userKey: string): Profile {
    return profileIn(new Map([['records', this.tableOf('records') ?? new Map()]]), userKey);
  }

  private consumedOf(line: string): number {
    return Number(this.tableOf(this.consumedName)?.get(line) ?? 0);
  }

  private updateMember(userKey: string): void {
    const text = this.tableOf('members')?.get(userKey);
    const row = this.rows.get(userKey) ?? (text === undefined ? undefined : this.rowOf(userKey, text));
    if (row === undefined) return;
    if (text === undefined) {
      this.rows.delete(userKey);
      this.searched.remove(row);
    } else {
      row.member = decodeMember(text);
      if (!this.rows.has(userKey)) {
        this.active.touch(row);
        this.searched.put(row);
      }
      this.rows.set(userKey, row);
    }
    this.touch(row);
  }

  private updateProfile(field: string): void {
    const userKey = field.startsWith(PROFILE) ? field.slice(PROFILE.length) : undefined;
    const row = userKey === undefined ? undefined : this.rows.get(userKey);
    if (row === undefined) return;
    row.profile = this.profileOf(row.userKey);
    row.sought = soughtIn(row.userKey, row.profile);
    this.searched.put(row);
    this.touch(row);
  }

  private updateConsumed(field: string): void {
    const at = field.indexOf(':u:');
    const row = at < 0 ? undefined : this.rows.get(field.slice(at + ':u:'.length));
    const index = this.quotas.indexOf(field.slice(0, at));
    if (row === undefined || index < 0) return;
    row.consumed[index] = this.consumedOf(field);
    this.active.touch(row);
    this.touch(row);
  }

  private touch(row: UserRow): void {
    for (const order of this.orders.values()) order.touch(row);
  }
}

/** Line ends separate the texts: a search text has none. */
function soughtIn(userKey: string, { name, email }: Profile): string {
  return `${userIdOf(userKey)}\n${name}\n${email}`.toLowerCase();
}
