/**
 * Logins with a bearer token: the first use by each caller on each day, over all replicas, is an entry of the audit log of tokens.
 * It is written behind the answer: no request waits for it.
 */
import { LRUCache } from 'lru-cache';
import type { Change, Ledger } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { hashOf } from '../tokens/secrets.js';
import { TOKEN_ORG } from '../tokens/token-store.js';
import { auditText } from '../writes/change.js';

const DAY_MS = 86_400_000;
const CALLERS_MAX = 10_000;
/** After a store that did not answer: a later request tries again. */
const RETRY_MS = 60_000;
/** Another replica may write the same entry, or delete the same days. */
const TRIES_MAX = 4;
/** Of table `records`, with a hash of the caller: the day of the last entry, which all replicas compare. */
const PREFIX = 'login:';

export interface Login {
  /** The caller, as in the audit log. */
  readonly who: string;
  /** The address of the caller. */
  readonly peer: string;
}

export class MadeLogins {
  /** Callers that need no entry before this time of `now`. */
  private readonly notedUntil = new LRUCache<string, number>({ max: CALLERS_MAX });
  private readonly writes = new Set<Promise<void>>();

  constructor(
    private readonly ledger: Ledger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  note(login: Login): void {
    if (this.now() < (this.notedUntil.get(login.who) ?? 0)) return;
    this.notedUntil.set(login.who, this.now() + RETRY_MS);
    const write = this.write(login).catch(() => undefined);
    this.writes.add(write);
    void write.then(() => this.writes.delete(write));
  }

  /** Resolves when all entries up to now are written. */
  async settled(): Promise<void> {
    await Promise.all(this.writes);
  }

  private async write({ who, peer }: Login): Promise<void> {
    const field = PREFIX + hashOf(who);
    const event = { action: 'login.succeed', subject: `peer:${peer}` };
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const wants = [{ table: 'records', fields: [field] }] as const;
      const { now, version, values } = await this.ledger.read(TOKEN_ORG, wants);
      const was = values[0]?.[0] ?? null;
      const day = new Date(now).toISOString().slice(0, 'YYYY-MM-DD'.length);
      const changes: Change[] = [{ set: 'records', field, value: day, was }];
      if (was !== day) changes.push(...(await this.outdated(day, field)));
      const commit = {
        version: version === 0 ? 0 : undefined,
        changes,
        audit: auditText(now, { who, reason: '' }, event),
      };
      if (was !== day && (await this.ledger.commit(TOKEN_ORG, commit)) === undefined) continue;
      this.notedUntil.set(who, this.now() + DAY_MS - (now % DAY_MS));
      return;
    }
  }

  /** The day of an earlier entry means the same as none. */
  private async outdated(day: string, except: string): Promise<Change[]> {
    const records = await scanAll(this.ledger, TOKEN_ORG, 'records');
    return [...records]
      .filter(([field, text]) => field.startsWith(PREFIX) && field !== except && text < day)
      .map(([field, was]) => ({ del: 'records', field, was }));
  }
}
