/**
 * Stores admin tokens: by id, with the hash of their secret and never the secret, separately from the orgs. Each
 * request reads its token again, so a revoked one is refused at the next request on every replica.
 */
import { timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../../errors/catalogue.js';
import { isRequestForgotten } from '../../ledger/codec.js';
import type { Change, Ledger, Want } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import type { ValidToken } from '../access/callers.js';
import type { Access, Orgs, Role } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { type AuditEvent, auditText, type WriteContext } from '../writes/change.js';
import { keepAnswer, keptAnswer, type Once, onceWant } from '../writes/idempotency.js';
import { hashOf, newId, newSecret } from './secrets.js';

/** No org can have this id. */
export const TOKEN_ORG = '*tokens*';

export interface TokenRecord {
  /** sha256 of the secret, hex. */
  readonly hash: string;
  readonly name: string;
  readonly role: Role;
  readonly orgs: Orgs;
  readonly createdAt: number;
  readonly createdBy: string;
  /** 0: never. */
  readonly expiresAt: number;
}

export function isValid(record: Pick<TokenRecord, 'expiresAt'>, now: number): boolean {
  return record.expiresAt === 0 || now < record.expiresAt;
}

const PREFIX = 'token:';

export function tokenField(id: string): string {
  return PREFIX + id;
}

const TOKEN = /^qga_([A-Za-z0-9]{8,64})_([A-Za-z0-9]{16,128})$/;

/** By the store's clock; undefined if the token is not valid. */
export async function validToken(ledger: Ledger, text: string): Promise<ValidToken | undefined> {
  const [, id = '', secret = ''] = TOKEN.exec(text) ?? [];
  if (id === '') return undefined;
  const { record, now } = await readToken(ledger, id);
  if (record === undefined || !sameHash(record.hash, hashOf(secret)) || !isValid(record, now))
    return undefined;
  return { id, access: accessOf(id, record) };
}

export function accessOf(id: string, { name, role, orgs, expiresAt }: TokenRecord): Access {
  // Names may contain anything, ids may not: the last parenthesis is always the id.
  return { who: `${name} (${id})`, role, orgs, expiresAt };
}

export function sameHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

interface Read {
  readonly now: number;
  readonly version: number;
  readonly record: TokenRecord | undefined;
  /** What is kept of an earlier request with the same key. */
  readonly request: string | undefined;
}

async function readToken(ledger: Ledger, id: string, once?: Once): Promise<Read> {
  const wants: Want[] = [{ table: 'records', fields: [tokenField(id)] }];
  if (once !== undefined) wants.push(onceWant(once));
  const { now, version, values } = await ledger.read(TOKEN_ORG, wants);
  const text = values[0]?.[0] ?? undefined;
  const record = text === undefined ? undefined : (JSON.parse(text) as TokenRecord);
  return { now, version, record, request: values[1]?.[0] ?? undefined };
}

/** All tokens by id, including expired ones. */
export async function allTokens(ledger: Ledger): Promise<Map<string, TokenRecord>> {
  const tokens = new Map<string, TokenRecord>();
  for (const [field, text] of await scanAll(ledger, TOKEN_ORG, 'records'))
    if (field.startsWith(PREFIX)) tokens.set(field.slice(PREFIX.length), JSON.parse(text) as TokenRecord);
  return tokens;
}

/** A token as its creator states it. */
export type NewToken = Pick<TokenRecord, 'name' | 'role' | 'orgs' | 'expiresAt'>;

export interface MadeToken {
  readonly id: string;
  readonly record: TokenRecord;
  /** Only shown here, once. */
  readonly text: string;
}

/** A token, or one that an earlier request made: its text is not shown again. */
export type AddedToken = MadeToken | (Omit<MadeToken, 'text'> & { readonly text: null });

type Author = Pick<WriteContext, 'who' | 'reason'>;

type TokenAdmin = Pick<Admin, 'ledger' | 'mutex'>;

export interface TokenCreation {
  readonly author: Author;
  readonly once?: Once | undefined;
  readonly token: NewToken;
  /** Gets the store's time, and throws if the token is not acceptable. */
  readonly check?: (now: number) => void | Promise<void>;
}

export async function addToken(
  admin: TokenAdmin,
  creation: TokenCreation & { readonly once?: undefined },
): Promise<MadeToken>;
export async function addToken(admin: TokenAdmin, creation: TokenCreation): Promise<AddedToken>;
export async function addToken(
  admin: TokenAdmin,
  { author, once, token, check }: TokenCreation,
): Promise<AddedToken> {
  const [id, secret] = [newId(), newSecret()];
  const decide = async ({ now }: Read): Promise<TokenPlan<AddedToken>> => {
    await check?.(now);
    const { name, role, orgs, expiresAt } = token;
    const snapshot = { name, role, orgs, expiresAt };
    const record = { hash: hashOf(secret), ...snapshot, createdAt: now, createdBy: author.who };
    const kept = { id, record: { ...record, hash: '' }, text: null };
    return {
      changes: [
        { set: 'records', field: tokenField(id), value: JSON.stringify(record) },
        ...(once === undefined ? [] : [keepAnswer(once, now, kept), ...(await forgotten(admin.ledger, now))]),
      ],
      auditEvent: { action: 'token.add', subject: `token:${id}`, to: auditedToken(record) },
      answer: { id, record, text: `qga_${id}_${secret}` },
    };
  };
  return changeTokens(admin, { author, once, id, decide });
}

/** Tokens have no maintenance of their own: what is kept of old requests goes with the next one. */
async function forgotten(ledger: Ledger, now: number): Promise<Change[]> {
  const requests = await scanAll(ledger, TOKEN_ORG, 'requests');
  const old = [...requests].filter(([, text]) => isRequestForgotten(text, now));
  return old.map(([field]) => ({ del: 'requests', field }));
}

export interface TokenDeletion {
  readonly author: Author;
  readonly id: string;
  /** Gets the present token, and throws if it may not be deleted or does not exist. */
  readonly check: (record: TokenRecord | undefined) => TokenRecord;
}

export async function deleteToken(admin: TokenAdmin, { author, id, check }: TokenDeletion): Promise<void> {
  const decide = ({ record }: Read): TokenPlan<undefined> => {
    const from = auditedToken(check(record));
    const auditEvent = { action: 'token.delete', subject: `token:${id}`, from };
    return { changes: [{ del: 'records', field: tokenField(id) }], auditEvent, answer: undefined };
  };
  await changeTokens(admin, { author, id, decide });
}

/** As recorded in the audit log. */
function auditedToken({ name, role, orgs, expiresAt }: TokenRecord) {
  return { name, role, orgs, expiresAt: expiresAt === 0 ? null : new Date(expiresAt).toISOString() };
}

interface TokenPlan<Answer> {
  readonly changes: readonly Change[];
  readonly auditEvent: AuditEvent;
  readonly answer: Answer;
}

const TRIES_MAX = 8;

interface TokenChange<Answer> {
  readonly author: Author;
  readonly once?: Once | undefined;
  readonly id: string;
  readonly decide: (read: Read) => TokenPlan<Answer> | Promise<TokenPlan<Answer>>;
}

async function changeTokens<Answer>(
  { ledger, mutex }: TokenAdmin,
  { author, once, id, decide }: TokenChange<Answer>,
): Promise<Answer> {
  return mutex.runOnce({ org: TOKEN_ORG, once }, async () => {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const read = await readToken(ledger, id, once);
      const first = once && keptAnswer(once, read.request, read.now);
      if (first !== undefined) return first.answer as Answer;
      const { changes, auditEvent, answer } = await decide(read);
      const audit = auditText(read.now, author, auditEvent);
      const version = await ledger.commit(TOKEN_ORG, { version: read.version, changes, audit });
      if (version !== undefined) return answer;
    }
    throw new ProblemError('store-busy', 'too many concurrent changes to the tokens, try again');
  });
}
