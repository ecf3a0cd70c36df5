/** Copies of tables that no log names the changes of: each is scanned, and used for at most two seconds. */
import { LRUCache } from 'lru-cache';
import type { OrgStore, Table } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';

const LIFE_MS = 2_000;
const TABLES_MAX = 256;

export interface TableScan {
  readonly fields: ReadonlyMap<string, string>;
  /** As performance.now. */
  readonly begunAt: number;
}

export class TableScans {
  private readonly scans = new LRUCache<string, Promise<TableScan>>({
    max: TABLES_MAX,
    ttl: LIFE_MS,
    ttlAutopurge: true,
  });

  constructor(private readonly ledger: Pick<OrgStore, 'scan'>) {}

  of(org: string, table: Table): Promise<TableScan> {
    const key = `${org}/${table}`;
    const known = this.scans.get(key);
    if (known !== undefined) return known;
    const begunAt = performance.now();
    const scan = scanAll(this.ledger, org, table).then((fields) => ({ fields, begunAt }));
    this.scans.set(key, scan);
    scan.catch(() => {
      if (this.scans.peek(key) === scan) this.scans.delete(key);
    });
    return scan;
  }

  forget(org: string): void {
    for (const key of this.scans.keys()) if (key.startsWith(`${org}/`)) this.scans.delete(key);
  }

  close(): void {
    this.scans.clear();
  }
}
