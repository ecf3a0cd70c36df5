/** Who calls: what a token or a session gives. The interfaces are for parts that use them without knowing how they are kept. */
import type { JWTPayload } from 'jose';
import type { SessionKey } from '../session/cookie.js';
import type { Access } from './roles.js';

/** A token that is valid now, and what it gives access to. */
export interface ValidToken {
  readonly id: string;
  readonly access: Access;
}

/** Checks admin tokens. */
export interface TokenLogins {
  /** The token that the config names. */
  readonly bootstrap: ValidToken | undefined;
  readonly bootstrapToken: string | undefined;
  /** Undefined: the token is not valid. */
  find(token: string): Promise<ValidToken | undefined>;
  /** Of a token in a request: an admin token, or one of the identity provider. */
  findBearer(token: string): Promise<Access | FailedLogin>;
  /** What claims of the identity provider grant now; undefined for nothing. */
  accessOf(claims: JWTPayload): Access | undefined;
  /** `peer`: the address of the caller. */
  noteFailed(peer: string, failed: FailedLogin): Promise<void>;
  /** Waits for nothing. */
  noteMade(peer: string, access: Access): void;
  /** Resolves when the entries of logins are written. */
  close(): Promise<void>;
}

export interface FailedLogin {
  readonly token: string;
  /** Why it was refused; absent: it is unknown, revoked or expired. */
  readonly reason?: string;
}

/** Whom a session is opened for: a token, or a subject of the identity provider with its claims. */
export type SessionCaller = ValidToken & { readonly claims?: JWTPayload };

export interface Session {
  readonly id: string;
  readonly access: Access;
  readonly endsAt: number;
}

export interface OpenedSession extends Session {
  readonly key: SessionKey;
  readonly lifeMs: number;
}

/** Keeps console sessions. */
export interface SessionStore {
  readonly idleMs: number;
  /** `by`: how the caller proved who they are, for the audit log. */
  open(caller: SessionCaller, by: string): Promise<OpenedSession>;
  /** Undefined: it has ended, or never began. `renew`: a person did something. */
  find(key: SessionKey, renew: boolean): Promise<Session | undefined>;
  end(session: Session): Promise<void>;
}
