/**
 * Verifies signed tokens (JWT): signature, issuer, audience and times. A verification takes a hundred times as long as everything
 * else here, so the result for a token is cached until it expires, until the keys change, or for a limited time.
 */
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ProblemError } from '../errors/catalogue.js';
import {
  type KeyPlace,
  type KeySource,
  openKeys,
  SECRET_BYTES,
  secretBytesMin,
  type Times,
} from './key-source.js';

export interface TokenRules {
  readonly keys: KeyPlace;
  /** The only accepted algorithms: all with a shared secret (HS…), or all with public keys. */
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** Maximum difference between this clock and the issuer's. */
  readonly clockToleranceSeconds: number;
  /** Called when the keys can no longer be fetched; the keys already loaded stay in use. */
  readonly onTrouble: (error: unknown) => void;
  /** For tests: another clock, in milliseconds since 1970, and other intervals between key lookups. */
  readonly now?: (() => number) | undefined;
  readonly times?: Times | undefined;
}

/** What the claims of a verified token mean to the caller. */
export interface ClaimsReader<Meaning> {
  /** Throws a ProblemError if the claims are not accepted. */
  readonly read: (claims: JWTPayload) => Meaning;
  /** The characters of a meaning: a limit of the cache. */
  readonly lengthOf: (meaning: Meaning) => number;
}

/** Longer tokens are refused unread; no issuer creates them. */
const TOKEN_MAX_CHARACTERS = 16_384;
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const REMEMBERED_MAX = 50_000;
const REMEMBERED_BYTES = 64 * 1_048_576;
const REMEMBERED_MS = 300_000;

/** Kept separately, so that a flood of forged tokens does not displace valid ones. */
const REFUSALS_MAX = 1_000;
const REFUSALS_MS = 5_000;

/** The size of an entry besides its strings. */
const ENTRY_BYTES = 512;

/**
 * Hashing a whole token would take longer than everything else. The end of its signature distinguishes tokens equally
 * well.
 */
const TAIL_CHARACTERS = 48;

interface Accepted<Meaning> {
  readonly token: string;
  readonly meaning: Meaning;
  readonly untilMs: number;
}

interface Refused {
  readonly problem: ProblemError;
  readonly untilMs: number;
}

/** For a verified token: its claims, and the version of the keys that verified it. */
interface Verified {
  readonly claims: JWTPayload;
  readonly version: number;
}

/** Whether it has the form of a signed token. */
export function isSignedToken(text: string): boolean {
  return TOKEN.test(text);
}

export class VerifiedTokens<Meaning extends object> {
  private readonly keys: KeySource;
  private readonly now: () => number;
  /** Keyed by the token's tail. */
  private readonly accepted = new LRUCache<string, Accepted<Meaning>>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ token, meaning }) => ENTRY_BYTES + token.length + 2 * this.reader.lengthOf(meaning),
  });
  private readonly refused = new LRUCache<string, Refused>({ max: REFUSALS_MAX });
  private readonly flights = new Map<string, Promise<Meaning>>();
  private readonly secret: boolean;

  /** Throws if the rules, or a file of keys, are invalid. */
  constructor(
    private readonly rules: TokenRules,
    private readonly reader: ClaimsReader<Meaning>,
  ) {
    const { keys, algorithms, onTrouble, times } = rules;
    this.secret = 'secret' in keys || 'secretFile' in keys;
    const fits = algorithms.every((algorithm) => Object.hasOwn(SECRET_BYTES, algorithm) === this.secret);
    if (algorithms.length === 0 || !fits)
      throw new Error('HS256, HS384 and HS512 need a shared secret; all other algorithms need public keys');
    this.now = rules.now ?? Date.now;
    this.keys = openKeys({
      place: keys,
      secretBytesMin: secretBytesMin(algorithms),
      onChange: () => this.forget(),
      onTrouble,
      times,
    });
  }

  /** Throws or rejects with a ProblemError if the token is not accepted. Returns a promise only if it must wait. */
  read(token: string): Meaning | Promise<Meaning> {
    const known = this.accepted.get(token.slice(-TAIL_CHARACTERS));
    if (known?.token === token && this.now() < known.untilMs) return known.meaning;
    return this.verifyOnce(token);
  }

  /** Of a token for another audience, which is used once: nothing is cached. Rejects with a ProblemError. */
  async claimsOf(token: string, audience: string): Promise<JWTPayload> {
    if (token.length > TOKEN_MAX_CHARACTERS || !isSignedToken(token)) throw NOT_A_TOKEN;
    try {
      return (await this.verify(token, audience)).claims;
    } catch (error) {
      throw problemOf(error);
    }
  }

  close(): void {
    this.keys.close();
  }

  private forget(): void {
    this.accepted.clear();
    this.refused.clear();
  }

  private verifyOnce(token: string): Promise<Meaning> {
    const refusal = this.refused.get(token);
    if (refusal !== undefined && this.now() < refusal.untilMs) throw refusal.problem;
    if (token.length > TOKEN_MAX_CHARACTERS || !isSignedToken(token)) throw NOT_A_TOKEN;
    const running = this.flights.get(token);
    if (running !== undefined) return running;
    const flight = this.look(token).finally(() => this.flights.delete(token));
    this.flights.set(token, flight);
    return flight;
  }

  private async look(token: string): Promise<Meaning> {
    let version = 0;
    try {
      await this.keys.ready();
      version = this.keys.version;
      const verified = await this.verify(token);
      const meaning = this.reader.read(verified.claims);
      this.remember(token, meaning, verified);
      return meaning;
    } catch (error) {
      const problem = problemOf(error);
      // Keys that arrived meanwhile may give another result.
      if (isLasting(problem) && version === this.keys.version)
        this.refused.set(token, { problem, untilMs: this.now() + REFUSALS_MS });
      throw problem;
    }
  }

  private remember(token: string, meaning: Meaning, { claims, version }: Verified): void {
    if (version !== this.keys.version) return;
    const endMs = ((claims.exp ?? 0) + this.rules.clockToleranceSeconds) * 1_000;
    const untilMs = Math.min(endMs, this.now() + REMEMBERED_MS);
    this.accepted.set(token.slice(-TAIL_CHARACTERS), { token, meaning, untilMs });
  }

  private async verify(token: string, audience = this.rules.audience): Promise<Verified> {
    const key = await this.keys.ready();
    const { version } = this.keys;
    try {
      return { claims: await this.verifyBy(key, token, audience), version };
    } catch (error) {
      if (!this.fitsNoKey(error) || !(await this.keys.renew(version))) throw error;
    }
    const newer = await this.keys.ready();
    const present = this.keys.version;
    return { claims: await this.verifyBy(newer, token, audience), version: present };
  }

  /** A shared secret has no id, so a token cannot ask for a newer one. */
  private fitsNoKey(error: unknown): boolean {
    if (error instanceof errors.JWKSNoMatchingKey) return true;
    return this.secret && error instanceof errors.JWSSignatureVerificationFailed;
  }

  private async verifyBy(key: JWTVerifyGetKey, token: string, audience: string): Promise<JWTPayload> {
    const { algorithms, issuer, clockToleranceSeconds } = this.rules;
    const options = {
      algorithms: [...algorithms],
      issuer,
      audience,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(this.now()),
      requiredClaims: ['exp'],
    };
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Without a key id, any key of the same kind may be the right one.
      for await (const candidate of error) {
        try {
          return (await jwtVerify(token, candidate, options)).payload;
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }
}

const NOT_A_TOKEN = new ProblemError('credential-invalid', 'The token is not valid.');

/** The message gives no hints for forgery: only the holder of a genuine token learns more. */
function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const detail = error instanceof errors.JWTExpired ? 'The token has expired.' : NOT_A_TOKEN.message;
  return new ProblemError('credential-invalid', detail, { cause: error });
}

/** Whether the result is permanent: missing keys may arrive later, and a token may become valid later. */
function isLasting({ code, cause }: ProblemError): boolean {
  if (cause instanceof errors.JWTClaimValidationFailed && cause.claim === 'nbf') return false;
  return code !== 'identity-unavailable';
}
