/** Checks admin tokens: those of the ledger, and the one that the config names. Refused ones go to the audit log. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { ProblemError } from '../../errors/catalogue.js';
import { isSignedToken } from '../../identify/verified-tokens.js';
import { type Ledger, StoreError } from '../../ledger/port.js';
import { validToken } from '../tokens/token-store.js';
import type { FailedLogin, TokenLogins, ValidToken } from './callers.js';
import { FailedLogins } from './failed-logins.js';
import { MadeLogins } from './made-logins.js';
import type { OidcCallers } from './oidc.js';
import type { Access } from './roles.js';

/** Id of the token in `admin.bootstrapTokenFile`. No other token has an id of this length. */
export const BOOTSTRAP = 'bootstrap';

export interface LoginOptions {
  readonly ledger: Ledger;
  /** An admin over all orgs for as long as the config names it. */
  readonly bootstrapToken?: string | undefined;
  /** Absent: no tokens of an identity provider. */
  readonly oidc?: OidcCallers | undefined;
}

export class CheckedTokens implements TokenLogins {
  private readonly failed: FailedLogins;
  private readonly made: MadeLogins;
  /** Of the bootstrap token. */
  private readonly digest: Buffer | undefined;

  constructor(private readonly options: LoginOptions) {
    const { ledger, bootstrapToken } = options;
    this.failed = new FailedLogins(ledger);
    this.made = new MadeLogins(ledger);
    this.digest = bootstrapToken === undefined ? undefined : digestOf(bootstrapToken);
  }

  get bootstrapToken(): string | undefined {
    return this.options.bootstrapToken;
  }

  get bootstrap(): ValidToken | undefined {
    if (this.digest === undefined) return undefined;
    return { id: BOOTSTRAP, access: { who: BOOTSTRAP, role: 'admin', orgs: 'all', expiresAt: 0 } };
  }

  async find(token: string): Promise<ValidToken | undefined> {
    if (this.isBootstrap(token)) return this.bootstrap;
    return orUnavailable(validToken(this.options.ledger, token));
  }

  async findBearer(token: string): Promise<Access | FailedLogin> {
    const { oidc } = this.options;
    if (oidc !== undefined && isSignedToken(token) && !this.isBootstrap(token))
      return oidcAccess(oidc, token);
    return (await this.find(token))?.access ?? { token };
  }

  accessOf(claims: JWTPayload): Access | undefined {
    try {
      return this.options.oidc?.accessOf(claims);
    } catch (error) {
      if (error instanceof ProblemError) return undefined;
      throw error;
    }
  }

  /** A store that does not take the entry does not change the answer. */
  async noteFailed(peer: string, failed: FailedLogin): Promise<void> {
    await this.failed.note(peer, failed).catch(() => undefined);
  }

  noteMade(peer: string, { who }: Access): void {
    this.made.note({ who, peer });
  }

  async close(): Promise<void> {
    this.options.oidc?.close();
    await this.made.settled();
  }

  private isBootstrap(token: string): boolean {
    return this.digest !== undefined && timingSafeEqual(digestOf(token), this.digest);
  }
}

/** The answer to a refused token gives no reason, from which a forger could learn. The audit log has it. */
async function oidcAccess(oidc: OidcCallers, token: string): Promise<Access | FailedLogin> {
  try {
    return await oidc.read(token);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code === 'identity-unavailable') throw error;
    return { token: '', reason: error.message };
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
