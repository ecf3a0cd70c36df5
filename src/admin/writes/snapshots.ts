/**
 * Copies of whole tables for lists, read in pages. A copy is used for at most two seconds, and no longer than until
 * this process's next write to the org. Every list reports how old its copy is.
 */
import { LRUCache } from 'lru-cache';
import type { Ledger, Table } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import type { Tables } from '../../ledger/view/org-view.js';

const LIFE_MS = 2_000;
const TABLES_MAX = 256;

interface Copy {
  readonly fields: ReadonlyMap<string, string>;
  readonly begunAt: number;
}

export interface TablesCopy {
  readonly tables: Tables;
  readonly ageMs: number;
}

export class Snapshots {
  private readonly copies = new LRUCache<string, Promise<Copy>>({
    max: TABLES_MAX,
    ttl: LIFE_MS,
    ttlAutopurge: true,
  });

  constructor(private readonly ledger: Ledger) {}

  async tables(org: string, names: readonly Table[]): Promise<TablesCopy> {
    const copies = await Promise.all(names.map((name) => this.copyOf(org, name)));
    const tables = new Map(names.map((name, index) => [name, copies[index]?.fields ?? new Map()]));
    const begunAt = Math.min(...copies.map((copy) => copy.begunAt));
    return { tables, ageMs: Math.max(0, Math.round(performance.now() - begunAt)) };
  }

  /** Called after every write of this process, so that admins see their own writes. */
  forget(org: string): void {
    for (const key of this.copies.keys()) if (key.startsWith(`${org}/`)) this.copies.delete(key);
  }

  private copyOf(org: string, table: Table): Promise<Copy> {
    const key = `${org}/${table}`;
    const known = this.copies.get(key);
    if (known !== undefined) return known;
    const begunAt = performance.now();
    const copy = scanAll(this.ledger, org, table).then((fields) => ({ fields, begunAt }));
    this.copies.set(key, copy);
    copy.catch(() => {
      if (this.copies.peek(key) === copy) this.copies.delete(key);
    });
    return copy;
  }
}
