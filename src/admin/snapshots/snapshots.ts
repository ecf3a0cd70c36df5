/**
 * Copies of tables for lists over large orgs. A copy is kept current while it is used; an answer from it is at most two seconds old,
 * has this process's own writes, and reports its age.
 */
import { LRUCache } from 'lru-cache';
import { isListed } from '../../ledger/change-feed.js';
import type { Table } from '../../ledger/port.js';
import type { Tables } from '../../ledger/view/org-view.js';
import type { LimitRow } from './limit-rows.js';
import { type CopySource, OrgCopy, type Wanted } from './org-copy.js';
import { TableScans } from './scans.js';
import { OrgStamps, type Stamps } from './stamps.js';
import type { UserRows } from './user-rows.js';

const AGE_MAX_MS = 2_000;
/** A copy in use is refreshed once in this time. */
const REFRESH_MS = 1_000;
const LOOK_MS = 250;
/** A copy that nobody asks for is dropped: following a busy org costs the store calls. */
const IDLE_MS = 30_000;
const ORGS_MAX = 256;
/** Fields of all copies together: about 300 MB. */
const FIELDS_MAX = 2_000_000;

export interface TablesCopy {
  readonly tables: Tables;
  /** Decoded; none if `limits` is not among the tables. */
  readonly limits: ReadonlyMap<string, LimitRow>;
  readonly ageMs: number;
}

export interface UsersCopy extends TablesCopy {
  readonly users: UserRows;
}

const NOTHING_NEW: Wanted = { names: [], withUsers: false };

interface Entry {
  readonly copy: OrgCopy;
  usedAt: number;
  /** The copy must have the changes up to then: this process made one. */
  writtenAt: number;
}

export class Snapshots {
  private readonly entries = new LRUCache<string, Entry>({ max: ORGS_MAX });
  private readonly scans: TableScans;
  private readonly orgStamps: OrgStamps;
  private timer: NodeJS.Timeout | undefined;

  /** `quotas`: the ids of all. */
  constructor(
    private readonly ledger: CopySource,
    private readonly quotas: readonly string[],
  ) {
    this.scans = new TableScans(ledger);
    this.orgStamps = new OrgStamps(ledger);
  }

  async tables(org: string, names: readonly Table[]): Promise<TablesCopy> {
    const followed = names.filter(isListed);
    const others = names.filter((name) => !isListed(name));
    const scans = await Promise.all(others.map((name) => this.scans.of(org, name)));
    const now = performance.now();
    const age = Math.max(0, ...scans.map(({ begunAt }) => now - begunAt));
    const scanned = scans.map(({ fields }, index) => [others[index] ?? 'org', fields] as const);
    if (followed.length === 0) return { tables: new Map(scanned), limits: new Map(), ageMs: Math.round(age) };
    const { tables, limits, ageMs } = tablesOf(
      await this.current(org, { names: followed, withUsers: false }),
      followed,
    );
    return { tables: new Map([...tables, ...scanned]), limits, ageMs: Math.max(ageMs, Math.round(age)) };
  }

  /** As `tables`, with the users decoded. */
  async users(org: string, names: readonly Table[]): Promise<UsersCopy> {
    const copy = await this.current(org, { names, withUsers: true });
    const { users } = copy;
    if (users === undefined) throw new Error(`The copy of ${org} has no users`);
    return { ...tablesOf(copy, names), users };
  }

  /** At most a second old. Undefined: the org has no data. */
  stamps(org: string): Promise<Stamps | undefined> {
    return this.orgStamps.of(org);
  }

  /** Called after every write of this process, so that admins see their own writes. */
  forget(org: string): void {
    const entry = this.entries.peek(org);
    if (entry !== undefined) entry.writtenAt = performance.now();
    this.scans.forget(org);
    this.orgStamps.forget(org);
  }

  close(): void {
    clearInterval(this.timer);
    this.entries.clear();
    this.scans.close();
  }

  private async current(org: string, wanted: Wanted): Promise<OrgCopy> {
    const known = this.entries.get(org);
    if (known === undefined) return this.bringUp(org, this.add(org), wanted);
    known.usedAt = performance.now();
    const { copy, writtenAt } = known;
    const isFresh = copy.currentAt >= Math.max(writtenAt, performance.now() - AGE_MAX_MS);
    if (isFresh && copy.has(wanted)) return copy;
    try {
      return await this.bringUp(org, known, wanted);
    } catch {
      // What failed may be the copy, not the store: the org was replaced, or a connection ended. A new copy finds out.
      return this.bringUp(org, this.add(org), wanted);
    }
  }

  private add(org: string): Entry {
    const entry = {
      copy: new OrgCopy(this.ledger, org, this.quotas),
      usedAt: performance.now(),
      writtenAt: 0,
    };
    this.entries.set(org, entry);
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    return entry;
  }

  private async bringUp(org: string, entry: Entry, wanted: Wanted): Promise<OrgCopy> {
    try {
      await entry.copy.refresh(wanted);
    } catch (error) {
      if (this.entries.peek(org) === entry) this.entries.delete(org);
      throw error;
    }
    this.shrink(entry);
    return entry.copy;
  }

  /** Drops copies that were not used for the longest time, until the others fit. */
  private shrink(used: Entry): void {
    let size = 0;
    for (const [org, entry] of this.entries.entries()) {
      size += entry.copy.size;
      if (size > FIELDS_MAX && entry !== used) this.entries.delete(org);
    }
  }

  private look(): void {
    const now = performance.now();
    for (const [org, entry] of this.entries.entries()) {
      if (now - entry.usedAt > IDLE_MS) this.entries.delete(org);
      else if (now - entry.copy.currentAt > REFRESH_MS && !entry.copy.refreshing)
        // The next request for the list meets the same error, and reports it.
        this.bringUp(org, entry, NOTHING_NEW).catch(() => undefined);
    }
    if (this.entries.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function tablesOf(copy: OrgCopy, names: readonly Table[]): TablesCopy {
  const tables = new Map(names.map((name) => [name, copy.get(name) ?? new Map<string, string>()]));
  const limits = copy.limits?.all ?? new Map<string, LimitRow>();
  return { tables, limits, ageMs: Math.max(0, Math.round(performance.now() - copy.currentAt)) };
}
