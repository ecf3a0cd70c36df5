/** Stamps of an org: what changed since a page last looked. Read once a second, however many pages look. */
import { LRUCache } from 'lru-cache';
import type { Log, OrgStore } from '../../ledger/port.js';

const LIFE_MS = 1_000;
const ORGS_MAX = 1_024;

/** Each differs from an earlier one if something of its kind has changed. */
export interface Stamps {
  /** The org itself, its plans, users, groups, limits, keys and settings. */
  readonly directory: string;
  readonly consumption: string;
  readonly events: string;
  readonly audit: string;
}

type StampSource = Pick<OrgStore, 'read' | 'logBack'>;

export class OrgStamps {
  private readonly known = new LRUCache<string, Promise<Stamps | undefined>>({ max: ORGS_MAX, ttl: LIFE_MS });

  constructor(private readonly ledger: StampSource) {}

  /** Undefined: the org has no data. */
  of(org: string): Promise<Stamps | undefined> {
    const known = this.known.get(org);
    if (known !== undefined) return known;
    const stamps = readStamps(this.ledger, org);
    this.known.set(org, stamps);
    stamps.catch(() => {
      if (this.known.peek(org) === stamps) this.known.delete(org);
    });
    return stamps;
  }

  forget(org: string): void {
    this.known.delete(org);
  }
}

async function readStamps(ledger: StampSource, org: string): Promise<Stamps | undefined> {
  const lastOf = async (log: Log): Promise<string | undefined> => {
    const [last] = await ledger.logBack(org, log, '', 1);
    return last?.id;
  };
  const [{ version, values }, journal, events = '', audit = ''] = await Promise.all([
    ledger.read(org, [{ table: 'org', fields: ['epoch', 'fold'] }]),
    lastOf('journal'),
    lastOf('events'),
    lastOf('audit'),
  ]);
  const [epoch, fold] = values[0] ?? [];
  if (version === 0 || !epoch) return undefined;
  // Folded entries leave the journal: the last of them is still the last one.
  const consumption = journal ?? fold ?? '';
  return { directory: String(version), consumption, events, audit };
}
