/**
 * The history for lists that are asked for again and again: keeps the tail of each org that is in use, and the sums of users over the ranges
 * that were asked for. Both are brought to the last request before each answer.
 */
import { LRUCache } from 'lru-cache';
import type { OrgStore } from '../ledger/port.js';
import type { HistoryQuery } from './query.js';
import type { HistoryStore } from './reader.js';
import { type HistoryOrg, Tail, type TailView } from './tail.js';
import { type SummedUsers, UserSums } from './user-sums.js';

/** Well below the time for which entries stay in the journal before they are folded. */
const FOLLOW_MS = 1_000;
/** What nobody asks for is dropped: following a busy org costs the store calls. */
const IDLE_MS = 60_000;
const ORGS_MAX = 64;
/** Users of all sums together: about 150 MB. */
const USERS_MAX = 500_000;

interface KeptSums {
  readonly sums: UserSums;
  usedAt: number;
}

interface KeptOrg {
  readonly tail: Tail;
  /** By range and selection, those that were used last at the end. */
  readonly sums: Map<string, KeptSums>;
  usedAt: number;
}

export class LiveHistory implements HistoryStore {
  private readonly orgs = new LRUCache<string, KeptOrg>({ max: ORGS_MAX });
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: Pick<OrgStore, 'read' | 'log' | 'scan'>) {}

  readonly read: HistoryStore['read'] = (...args) => this.store.read(...args);
  readonly log: HistoryStore['log'] = (...args) => this.store.log(...args);
  readonly scan: HistoryStore['scan'] = (...args) => this.store.scan(...args);

  tail(about: HistoryOrg): Promise<TailView> {
    return this.orgOf(about).tail.current();
  }

  /** Its interval and dimensions are not used. */
  async userSums(query: HistoryQuery): Promise<SummedUsers> {
    const { org, rule, from, to, since, only } = query;
    const kept = this.orgOf({ org, timeZone: rule.timeZone });
    // One user is read faster than all are followed.
    if (only.user !== undefined) return new UserSums(this, kept.tail, query).current();
    const name = JSON.stringify([from, to, since, Object.entries(only).sort()]);
    const one = kept.sums.get(name) ?? { sums: new UserSums(this, kept.tail, query), usedAt: 0 };
    one.usedAt = performance.now();
    kept.sums.delete(name);
    kept.sums.set(name, one);
    const users = await one.sums.current();
    this.shrink(one);
    return users;
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.orgs.clear();
  }

  private orgOf(about: HistoryOrg): KeptOrg {
    const name = `${about.org}|${about.timeZone}`;
    const now = performance.now();
    const kept = this.orgs.get(name) ?? { tail: new Tail(this, about), sums: new Map(), usedAt: now };
    kept.usedAt = now;
    this.orgs.set(name, kept);
    this.timer ??= setInterval(() => this.follow(), FOLLOW_MS).unref();
    return kept;
  }

  private follow(): void {
    const usedSince = performance.now() - IDLE_MS;
    for (const [name, { tail, sums, usedAt }] of this.orgs.entries()) {
      if (usedAt < usedSince) {
        this.orgs.delete(name);
        continue;
      }
      // The next request meets the same error, and reports it.
      tail.current().catch(() => undefined);
      for (const [range, one] of sums) {
        if (one.usedAt < usedSince) sums.delete(range);
        else one.sums.current().catch(() => undefined);
      }
    }
    if (this.orgs.size === 0) this.close();
  }

  /** Drops sums that were not used for the longest time, until the others fit. */
  private shrink(used: KeptSums): void {
    let size = 0;
    for (const { sums } of this.orgs.values())
      for (const [range, one] of [...sums].reverse()) {
        size += one.sums.size;
        if (size > USERS_MAX && one !== used) sums.delete(range);
      }
  }
}
