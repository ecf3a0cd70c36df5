/**
 * What each user consumed in a range of days, summed: read once, then kept current from the journal. The sums are those of
 * `queryHistory`, which reads the texts of all users each time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Table } from '../ledger/port.js';
import type { Scope } from '../quota/id.js';
import { type Cell, type EntryId, isAfter } from './packed.js';
import { CellFilter, type Counted, type HistoryQuery, isByGroup, kindOf } from './query.js';
import { type HistoryStore, readHistory, visitCells } from './reader.js';
import { SerialTask } from './serial-task.js';
import { type RangeTable, tablesOf } from './tables.js';
import type { Tail, TailEntry, TailView } from './tail.js';

/** Of one quota. */
export interface UserSum {
  readonly quota: string;
  units: number;
  raw: number;
  /** Requests that were refused, by whose limit. */
  refused: Readonly<Record<Scope, number>>;
}

/** The sums of a user, in the order of the quotas. */
export interface SummedUser {
  readonly user: string;
  readonly sums: UserSum[];
}

/** By user. */
export type SummedUsers = ReadonlyMap<string, SummedUser>;

const NOT_REFUSED = { user: 0, group: 0, org: 0 };
/** Entries followed in one turn of the event loop. */
const ENTRIES_A_TURN = 16;

export class UserSums {
  private users = new Map<string, SummedUser>();
  private readonly tables: ReadonlyMap<Table, RangeTable>;
  private readonly filter: CellFilter;
  /** The entries that are in the sums; undefined before the first reading, and after one that failed. */
  private at: TailView | undefined;
  /** By table and field: the last entry of texts that had more entries than the tail when they were read. */
  private readonly ahead = new Map<string, EntryId>();
  private readonly refreshing = new SerialTask(() => this.bringUp());

  /** `query`: its interval and dimensions are not used. */
  constructor(
    private readonly store: HistoryStore,
    private readonly tail: Tail,
    private readonly query: HistoryQuery,
  ) {
    this.tables = new Map(tablesOf(this.kind, query.from, query.to).map((table) => [table.table, table]));
    this.filter = new CellFilter(this.ofUsers, (counted, _place, cell) => this.count(counted, cell));
  }

  get size(): number {
    return this.users.size;
  }

  /** To the last entry of the journal. */
  async current(): Promise<SummedUsers> {
    await this.refreshing.run();
    return this.users;
  }

  private get ofUsers(): HistoryQuery {
    return { ...this.query, by: 'total', groupBy: ['user'] };
  }

  private get kind() {
    return kindOf(this.ofUsers);
  }

  private async bringUp(): Promise<void> {
    const view = await this.tail.current();
    const { at } = this;
    const entries = at?.epoch === view.epoch ? this.tail.between(at.until, view.until) : undefined;
    this.at = undefined;
    if (entries === undefined) this.at = await this.readAll(view);
    else {
      await this.follow(entries);
      this.at = view;
    }
  }

  /** Reading takes seconds, in which entries of the tail are folded: they are followed before it drops them. */
  private async readAll(tail: TailView): Promise<TailView> {
    const unpin = this.tail.pin(tail.until);
    try {
      await this.read(tail);
      const now = await this.tail.current();
      const entries = now.epoch === tail.epoch ? this.tail.between(tail.until, now.until) : undefined;
      if (entries === undefined) return await this.readAll(now);
      await this.follow(entries);
      return now;
    } finally {
      unpin();
    }
  }

  private async read(tail: TailView): Promise<void> {
    const { org, rule, from, to, only } = this.query;
    this.users = new Map();
    this.ahead.clear();
    const onText = (table: Table, field: string, last: EntryId): void => {
      if (isAfter(last, tail.until)) this.ahead.set(`${table}|${field}`, last);
    };
    const fields = only.user === undefined ? {} : { fields: [only.user] };
    const range = {
      org,
      timeZone: rule.timeZone,
      kind: this.kind,
      from,
      to,
      withGroups: isByGroup(this.ofUsers),
      ...fields,
    };
    await readHistory(this.store, { ...range, tail, onText }, this.filter.visit);
  }

  private async follow(entries: readonly TailEntry[]): Promise<void> {
    const { only } = this.query;
    for (const [index, { id, additions }] of entries.entries()) {
      for (const { table, field, packed } of additions) {
        const ranged = this.tables.get(table);
        if (ranged === undefined || (only.user !== undefined && field !== only.user)) continue;
        const last = this.ahead.get(`${table}|${field}`);
        if (last === undefined || isAfter(id, last)) visitCells(this.filter.visit, ranged, field, packed);
      }
      if (index % ENTRIES_A_TURN === ENTRIES_A_TURN - 1) await nextTurn();
    }
  }

  private count({ section: { quota, refused }, field }: Counted, { units, raw }: Cell): void {
    const sum = this.sumOf(field, quota);
    if (refused !== undefined)
      sum.refused = { ...sum.refused, [refused.scope]: sum.refused[refused.scope] + units };
    else {
      sum.units += units;
      sum.raw += raw;
    }
  }

  private sumOf(user: string, quota: string): UserSum {
    let summed = this.users.get(user);
    if (summed === undefined) {
      summed = { user, sums: [] };
      this.users.set(user, summed);
    }
    let sum = summed.sums.find((one) => one.quota === quota);
    if (sum === undefined) {
      sum = { quota, units: 0, raw: 0, refused: NOT_REFUSED };
      summed.sums.push(sum);
      summed.sums.sort((a, b) => (a.quota < b.quota ? -1 : 1));
    }
    return sum;
  }
}
