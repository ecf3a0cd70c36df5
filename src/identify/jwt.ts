/**
 * Identifies callers by a signed token (JWT). Verifying a signature takes a hundred times as long as everything else
 * here, so the result for a token is cached until it expires, until the keys change, or for a limited time.
 */
import type { IncomingMessage } from 'node:http';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ProblemError } from '../errors/catalogue.js';
import { type ClaimPlaces, claimReader } from './claims.js';
import { headerFinder } from './header-finder.js';
import type { Identifier, Identity } from './identifier.js';
import {
  type KeyPlace,
  type KeySource,
  openKeys,
  SECRET_BYTES,
  secretBytesMin,
  type Times,
} from './key-source.js';

export interface JwtOptions {
  /** `authorization`: as `Bearer <token>`; any other: the token, with or without `Bearer`. */
  readonly header: string;
  readonly keys: KeyPlace;
  /** The only accepted algorithms: all with a shared secret (HS…), or all with public keys. */
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  readonly claims: ClaimPlaces;
  /** Maximum difference between this clock and the issuer's. */
  readonly clockToleranceSeconds: number;
  /** Called when the keys can no longer be fetched; the keys already loaded stay in use. */
  readonly onTrouble: (error: unknown) => void;
  /** For tests: another clock, in milliseconds since 1970, and other intervals between key lookups. */
  readonly now?: (() => number) | undefined;
  readonly times?: Times | undefined;
}

export interface JwtIdentifier extends Identifier {
  identify(request: Pick<IncomingMessage, 'rawHeaders'>): Identity | undefined | Promise<Identity>;
  close(): void;
}

/** Throws if the options, or a file of keys, are invalid. */
export function jwt(options: JwtOptions): JwtIdentifier {
  return new Tokens(options);
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

interface Accepted {
  readonly token: string;
  readonly identity: Identity;
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

class Tokens implements JwtIdentifier {
  readonly headers: readonly string[];
  private readonly keys: KeySource;
  private readonly tokenOf: (rawHeaders: readonly string[]) => string | undefined;
  private readonly read: (claims: JWTPayload) => Identity;
  private readonly now: () => number;
  /** Keyed by the token's tail. */
  private readonly accepted = new LRUCache<string, Accepted>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ token, identity: { user, userId, claims } }) =>
      ENTRY_BYTES + token.length + 2 * (user.length + userId.length + claims.length),
  });
  private readonly refused = new LRUCache<string, Refused>({ max: REFUSALS_MAX });
  private readonly flights = new Map<string, Promise<Identity>>();
  private readonly secret: boolean;

  constructor(private readonly options: JwtOptions) {
    const { keys, header, algorithms } = options;
    this.secret = 'secret' in keys || 'secretFile' in keys;
    const fits = algorithms.every((algorithm) => Object.hasOwn(SECRET_BYTES, algorithm) === this.secret);
    if (algorithms.length === 0 || !fits)
      throw new Error('HS256, HS384 and HS512 need a shared secret; all other algorithms need public keys');
    this.headers = [header];
    this.tokenOf = tokenFinder(header);
    this.read = claimReader(options.claims);
    this.now = options.now ?? Date.now;
    this.keys = openKeys({
      place: keys,
      secretBytesMin: secretBytesMin(algorithms),
      onChange: () => this.forget(),
      onTrouble: options.onTrouble,
      times: options.times,
    });
  }

  identify(request: Pick<IncomingMessage, 'rawHeaders'>): Identity | undefined | Promise<Identity> {
    const token = this.tokenOf(request.rawHeaders);
    if (token === undefined) return undefined;
    const known = this.accepted.get(token.slice(-TAIL_CHARACTERS));
    if (known?.token === token && this.now() < known.untilMs) return known.identity;
    return this.verifyOnce(token);
  }

  close(): void {
    this.keys.close();
  }

  private forget(): void {
    this.accepted.clear();
    this.refused.clear();
  }

  private verifyOnce(token: string): Promise<Identity> {
    const refusal = this.refused.get(token);
    if (refusal !== undefined && this.now() < refusal.untilMs) throw refusal.problem;
    if (token.length > TOKEN_MAX_CHARACTERS || !TOKEN.test(token)) throw NOT_A_TOKEN;
    const running = this.flights.get(token);
    if (running !== undefined) return running;
    const flight = this.look(token).finally(() => this.flights.delete(token));
    this.flights.set(token, flight);
    return flight;
  }

  private async look(token: string): Promise<Identity> {
    let version = 0;
    try {
      await this.keys.ready();
      version = this.keys.version;
      const verified = await this.verify(token);
      const identity = this.read(verified.claims);
      this.remember(token, identity, verified);
      return identity;
    } catch (error) {
      const problem = problemOf(error);
      // Keys that arrived meanwhile may give another result.
      if (isLasting(problem) && version === this.keys.version)
        this.refused.set(token, { problem, untilMs: this.now() + REFUSALS_MS });
      throw problem;
    }
  }

  private remember(token: string, identity: Identity, { claims, version }: Verified): void {
    if (version !== this.keys.version) return;
    const endMs = ((claims.exp ?? 0) + this.options.clockToleranceSeconds) * 1_000;
    const untilMs = Math.min(endMs, this.now() + REMEMBERED_MS);
    this.accepted.set(token.slice(-TAIL_CHARACTERS), { token, identity, untilMs });
  }

  private async verify(token: string): Promise<Verified> {
    const key = await this.keys.ready();
    const { version } = this.keys;
    try {
      return { claims: await this.verifyBy(key, token), version };
    } catch (error) {
      if (!this.fitsNoKey(error) || !(await this.keys.renew(version))) throw error;
    }
    const newer = await this.keys.ready();
    const present = this.keys.version;
    return { claims: await this.verifyBy(newer, token), version: present };
  }

  /** A shared secret has no id, so a token cannot ask for a newer one. */
  private fitsNoKey(error: unknown): boolean {
    if (error instanceof errors.JWKSNoMatchingKey) return true;
    return this.secret && error instanceof errors.JWSSignatureVerificationFailed;
  }

  private async verifyBy(key: JWTVerifyGetKey, token: string): Promise<JWTPayload> {
    const { algorithms, issuer, audience, clockToleranceSeconds } = this.options;
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

/** API keys use the same header; their own identifier reads them. */
const API_KEY = 'qg_';
const SCHEME = 'bearer ';

function tokenFinder(header: string): (rawHeaders: readonly string[]) => string | undefined {
  const find = headerFinder([header]);
  const schemeNeeded = header === 'authorization';
  return (rawHeaders) => {
    const found = find(rawHeaders);
    if (found === undefined) return undefined;
    if (found.fault !== undefined) throw new ProblemError('identity-invalid', found.fault);
    const [value = ''] = found.values;
    const bearer = value.startsWith('Bearer ') || value.slice(0, SCHEME.length).toLowerCase() === SCHEME;
    if (!bearer && schemeNeeded) return undefined;
    const token = bearer ? value.slice(SCHEME.length).trim() : value;
    return token.startsWith(API_KEY) ? undefined : token;
  };
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
