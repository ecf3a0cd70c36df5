/** Failed logins: each is an entry of the audit log of tokens, up to a rate; those above it are counted in the next entry. */
import type { Ledger } from '../../ledger/port.js';
import { TOKEN_ORG } from '../tokens/token-store.js';
import { auditText } from '../writes/change.js';
import type { FailedLogin } from './callers.js';

const WINDOW_MS = 60_000;
/** Entries of one process in that time: guessing must not fill the store. */
const ENTRIES_MAX = 60;
const TOKEN_ID = /^qga_([A-Za-z0-9_-]{1,32})_/;

export class FailedLogins {
  private begunAt = Number.NEGATIVE_INFINITY;
  private entries = 0;
  private leftOut = 0;

  constructor(private readonly ledger: Ledger) {}

  /** `peer`: the address of the caller. The entry names the id that the token states, never its secret. */
  async note(peer: string, { token, reason = '' }: FailedLogin): Promise<void> {
    if (!this.hasRoom()) {
      this.leftOut += 1;
      return;
    }
    const [, id] = TOKEN_ID.exec(token) ?? [];
    const to = this.leftOut === 0 ? null : { earlierWithoutEntry: this.leftOut };
    this.leftOut = 0;
    const event = { action: 'login.fail', subject: `peer:${peer}`, to };
    const at = await this.ledger.clock();
    const who = { who: id === undefined ? 'unknown' : `token ${id}`, reason };
    await this.ledger.append(TOKEN_ORG, 'audit', auditText(at, who, event));
  }

  private hasRoom(): boolean {
    const now = performance.now();
    if (now - this.begunAt >= WINDOW_MS) {
      this.begunAt = now;
      this.entries = 0;
    }
    this.entries += 1;
    return this.entries <= ENTRIES_MAX;
  }
}
