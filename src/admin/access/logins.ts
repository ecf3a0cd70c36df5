/** Checks admin tokens: those of the ledger, and the one that the config names. Refused ones go to the audit log. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../../errors/catalogue.js';
import { type Ledger, StoreError } from '../../ledger/port.js';
import { validToken } from '../tokens/token-store.js';
import type { TokenLogins, ValidToken } from './callers.js';
import { FailedLogins } from './failed-logins.js';

/** Id of the token in `admin.bootstrapTokenFile`. No other token has an id of this length. */
export const BOOTSTRAP = 'bootstrap';

export class CheckedTokens implements TokenLogins {
  private readonly failed: FailedLogins;
  /** Of the bootstrap token. */
  private readonly digest: Buffer | undefined;

  /** `bootstrapToken` is an admin over all orgs for as long as the config names it. */
  constructor(
    private readonly ledger: Ledger,
    readonly bootstrapToken: string | undefined,
  ) {
    this.failed = new FailedLogins(ledger);
    this.digest = bootstrapToken === undefined ? undefined : digestOf(bootstrapToken);
  }

  get bootstrap(): ValidToken | undefined {
    if (this.digest === undefined) return undefined;
    return { id: BOOTSTRAP, access: { who: BOOTSTRAP, role: 'admin', orgs: 'all', expiresAt: 0 } };
  }

  async find(token: string): Promise<ValidToken | undefined> {
    if (this.digest !== undefined && timingSafeEqual(digestOf(token), this.digest)) return this.bootstrap;
    return orUnavailable(validToken(this.ledger, token));
  }

  /** A store that does not take the entry does not change the answer. */
  async noteFailed(peer: string, token: string): Promise<void> {
    await this.failed.note(peer, token).catch(() => undefined);
  }
}

// Digests have a fixed length, so the comparison leaks nothing about the token's length.
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

export async function orUnavailable<Found>(read: Promise<Found>): Promise<Found> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new ProblemError(
      'store-unavailable',
      'The store could not be read to look up the token; nothing changed',
      { cause: error },
    );
  }
}
