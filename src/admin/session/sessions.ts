/**
 * Console sessions, stored beside the tokens: by id, with the hash of their secret. A session has exactly the access of the token
 * that it was opened with, which each request reads in the same call, so a revoked token ends its sessions with the next request
 * on every replica.
 */
import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { ProblemError } from '../../errors/catalogue.js';
import type { Change, Ledger } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import type { OpenedSession, Session, SessionCaller, SessionStore, TokenLogins } from '../access/callers.js';
import { BOOTSTRAP } from '../access/logins.js';
import type { Access } from '../access/roles.js';
import { hashOf, newId, newSecret } from '../tokens/secrets.js';
import {
  accessOf,
  isValid,
  sameHash,
  TOKEN_ORG,
  type TokenRecord,
  tokenField,
} from '../tokens/token-store.js';
import { type AuditEvent, auditText } from '../writes/change.js';
import type { SessionKey } from './cookie.js';

export interface SessionTimes {
  /** Without a request by a person, it ends. */
  readonly idleMs: number;
  /** It ends after this time in any case. */
  readonly lifeMs: number;
}

/** Absent settings: those of the config's defaults. */
export const SESSION_TIMES: SessionTimes = { idleMs: 30 * 60_000, lifeMs: 12 * 3_600_000 };

interface SessionRecord {
  /** sha256 of the secret, hex. */
  readonly hash: string;
  readonly token: string;
  /** Of the bootstrap token, which is in no store: proves that it is still the same one. */
  readonly proof?: string;
  /** Of a login at the identity provider: what its grants look at. */
  readonly claims?: JWTPayload;
  readonly usedAt: number;
  readonly endsAt: number;
}

/** A session in use writes once in this time. */
const RENEWED_MS = 60_000;
/** Of one token; the oldest one ends. */
const SESSIONS_MAX = 32;
/** Ended sessions deleted by one login. */
const DELETED_MAX = 200;
const TRIES_MAX = 8;

export interface SessionOptions {
  readonly ledger: Ledger;
  readonly times: SessionTimes;
  readonly tokens: Pick<TokenLogins, 'bootstrap' | 'bootstrapToken' | 'accessOf'>;
}

export class Sessions implements SessionStore {
  constructor(private readonly options: SessionOptions) {}

  get idleMs(): number {
    return this.options.times.idleMs;
  }

  async open({ id: token, access, claims }: SessionCaller, by: string): Promise<OpenedSession> {
    const { ledger, times } = this.options;
    const key = { id: newId(), secret: newSecret(), token };
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const [{ now, version }, stored] = await Promise.all([
        ledger.read(TOKEN_ORG, []),
        scanAll(ledger, TOKEN_ORG, 'sessions'),
      ]);
      const endsAt = Math.min(now + times.lifeMs, access.expiresAt || Number.POSITIVE_INFINITY);
      const bound = claims === undefined ? this.proofFor(key) : { claims };
      const record = { hash: hashOf(key.secret), token, ...bound, usedAt: now, endsAt };
      const changes: Change[] = [
        { set: 'sessions', field: key.id, value: JSON.stringify(record) },
        ...this.ended(stored, token, now),
      ];
      const to = { by, expiresAt: new Date(endsAt).toISOString() };
      const event = { action: 'session.add', subject: `session:${key.id}`, to };
      const committed = await this.commit(
        version,
        changes,
        auditText(now, { who: access.who, reason: '' }, event),
      );
      if (committed) return { id: key.id, access, endsAt, key, lifeMs: endsAt - now };
    }
    throw new ProblemError('store-busy', 'too many concurrent changes to the tokens, try again');
  }

  async find(key: SessionKey, renew: boolean): Promise<Session | undefined> {
    const { id, secret, token } = key;
    const { now, values } = await this.options.ledger.read(TOKEN_ORG, [
      { table: 'sessions', fields: [id] },
      { table: 'records', fields: [tokenField(token)] },
    ]);
    const [text, tokenText] = [values[0]?.[0] ?? undefined, values[1]?.[0] ?? undefined];
    if (text === undefined) return undefined;
    const record = JSON.parse(text) as SessionRecord;
    const isThis = sameHash(record.hash, hashOf(secret)) && record.token === token;
    if (!isThis || !this.isLive(record, now)) return undefined;
    const access = this.accessBy(key, record) ?? accessAt(now, token, tokenText);
    if (access === undefined) return undefined;
    if (renew && now - record.usedAt >= RENEWED_MS) await this.renew(id, text, { ...record, usedAt: now });
    return { id, access, endsAt: record.endsAt };
  }

  async end({ id, access }: Session): Promise<void> {
    const { ledger } = this.options;
    const event: AuditEvent = { action: 'session.delete', subject: `session:${id}` };
    const audit = auditText(await ledger.clock(), { who: access.who, reason: '' }, event);
    await this.commit(undefined, [{ del: 'sessions', field: id }], audit);
  }

  /** `version` 0: the store has no token and no session yet. */
  private async commit(version: number | undefined, changes: readonly Change[], audit: string) {
    const expected = version === 0 ? 0 : undefined;
    return (await this.options.ledger.commit(TOKEN_ORG, { version: expected, changes, audit })) !== undefined;
  }

  /** A session that was ended meanwhile, or renewed by another replica, stays as it is. */
  private async renew(id: string, was: string, record: SessionRecord): Promise<void> {
    const value = JSON.stringify(record);
    await this.commit(undefined, [{ set: 'sessions', field: id, value, was }], '');
  }

  private isLive({ usedAt, endsAt }: SessionRecord, now: number): boolean {
    return now < endsAt && now < usedAt + this.options.times.idleMs;
  }

  /** Undefined: what it is bound to is a token of the store, or grants nothing any more. */
  private accessBy(key: SessionKey, record: SessionRecord): Access | undefined {
    if (record.claims !== undefined) return this.options.tokens.accessOf(record.claims);
    return key.token === BOOTSTRAP ? this.bootstrapAccess(key, record) : undefined;
  }

  private bootstrapAccess(key: SessionKey, { proof = '' }: SessionRecord): Access | undefined {
    const expected = this.proofFor(key).proof;
    if (expected === undefined || !sameHash(proof, expected)) return undefined;
    return this.options.tokens.bootstrap?.access;
  }

  /** With the secret of the session, which is in no store either: nobody can guess the token from it. */
  private proofFor({ token, secret }: SessionKey): { readonly proof?: string } {
    const { bootstrapToken } = this.options.tokens;
    if (token !== BOOTSTRAP || bootstrapToken === undefined) return {};
    return { proof: createHash('sha256').update(`${secret} ${bootstrapToken}`).digest('hex') };
  }

  /** Sessions have no maintenance of their own: what ended goes with the next login. */
  private ended(stored: ReadonlyMap<string, string>, token: string, now: number): Change[] {
    const all = [...stored].map(([id, text]) => ({ id, ...(JSON.parse(text) as SessionRecord) }));
    const live = all.filter((one) => this.isLive(one, now));
    const own = live.filter((one) => one.token === token).sort((a, b) => b.usedAt - a.usedAt);
    const kept = new Set(live.filter((one) => !own.slice(SESSIONS_MAX - 1).includes(one)));
    const deleted = all.filter((one) => !kept.has(one)).slice(0, DELETED_MAX);
    return deleted.map(({ id }) => ({ del: 'sessions', field: id }));
  }
}

function accessAt(now: number, token: string, text: string | undefined): Access | undefined {
  const record = text === undefined ? undefined : (JSON.parse(text) as TokenRecord);
  return record !== undefined && isValid(record, now) ? accessOf(token, record) : undefined;
}
