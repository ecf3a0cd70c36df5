/** Loads the keys that verify tokens, and keeps them up to date without a restart. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { ProblemError } from '../errors/catalogue.js';
import { fetchDiscoveredKeys, fetchKeys } from './fetch-keys.js';

export type KeyPlace =
  /** A URL with a set of public keys, fetched again every `refreshMs`. */
  | { readonly jwksUrl: string; readonly refreshMs: number }
  /** An OpenID provider, whose discovery document names that URL. */
  | { readonly issuer: string; readonly refreshMs: number }
  /** A file with a set of public keys; it may change. */
  | { readonly jwksFile: string }
  /** A file with a shared secret; it may change. */
  | { readonly secretFile: string }
  | { readonly secret: string };

export interface KeySource {
  /** Increases when the keys change: a result from earlier keys is no longer valid. */
  readonly version: number;
  /** Returns the current keys. Waits for the first ones; rejects with a ProblemError if there are none. */
  ready(): Promise<JWTVerifyGetKey>;
  /**
   * Looks for newer keys because a token matches none of `version`. Returns true if there are newer ones. Concurrent
   * calls share one lookup, and an unsuccessful lookup is followed by a pause. Rejects if the keys cannot be fetched.
   */
  renew(version: number): Promise<boolean>;
  /** Stops background work. */
  close(): void;
}

export interface KeySourceOptions {
  readonly place: KeyPlace;
  /** The minimum size of a shared secret in bytes. */
  readonly secretBytesMin: number;
  /** Called whenever the keys have changed. */
  readonly onChange: () => void;
  /** Called when the keys can no longer be fetched; the keys already loaded stay in use. */
  readonly onTrouble: (error: unknown) => void;
  readonly times?: Times | undefined;
}

/** Interval between lookups, in milliseconds. */
export interface Times {
  readonly refreshMs: number;
  /** Interval after a failure. */
  readonly retryMs: number;
  /** Minimum interval between lookups caused by tokens with unknown keys. */
  readonly renewMs: number;
  readonly timeoutMs: number;
}

/** Protects the provider: tokens with invented key ids must not each cause a request. */
const URL_TIMES = { retryMs: 2_000, renewMs: 30_000, timeoutMs: 5_000 };

/** A file is read again instead of watched: watchers miss the symbolic links by which Kubernetes updates a Secret. */
const FILE_TIMES: Times = { refreshMs: 1_000, retryMs: 1_000, renewMs: 1_000, timeoutMs: 5_000 };

/** Throws if a file or a secret is invalid. An unreachable URL is retried. */
export function openKeys(options: KeySourceOptions): KeySource {
  const { place, secretBytesMin: least } = options;
  if ('secret' in place) return fixedKeys(secretKey(place.secret, least));
  if ('refreshMs' in place) {
    const times = options.times ?? { ...URL_TIMES, refreshMs: place.refreshMs };
    const read = (signal: AbortSignal) =>
      'jwksUrl' in place ? fetchKeys(place.jwksUrl, signal) : fetchDiscoveredKeys(place.issuer, signal);
    const keys = new ChangingKeys(options, { times, read, parse: publicKeys });
    void keys.load();
    return keys;
  }
  const { file, parse } = fileOf(place, least);
  const read = (signal: AbortSignal) => readFile(file, { encoding: 'utf8', signal });
  const keys = new ChangingKeys(options, { times: options.times ?? FILE_TIMES, read, parse });
  keys.begin(readFileSync(file, 'utf8'));
  return keys;
}

type KeyFile = Extract<KeyPlace, { jwksFile: string } | { secretFile: string }>;

function fileOf(place: KeyFile, least: number) {
  if ('jwksFile' in place) return { file: place.jwksFile, parse: publicKeys };
  return { file: place.secretFile, parse: (text: string) => secretKey(text, least) };
}

/** Throws in the same cases as `openKeys`. */
export function tryKeys(place: KeyFile | { readonly secret: string }, secretBytes: number): void {
  if ('secret' in place) return void secretKey(place.secret, secretBytes);
  const { file, parse } = fileOf(place, secretBytes);
  parse(readFileSync(file, 'utf8'));
}

/** The symmetric algorithms, and the secret sizes in bytes that RFC 7518 requires. */
export const SECRET_BYTES: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

export function secretBytesMin(algorithms: readonly string[]): number {
  return Math.max(0, ...algorithms.map((algorithm) => SECRET_BYTES[algorithm] ?? 0));
}

function fixedKeys(key: JWTVerifyGetKey): KeySource {
  return { version: 1, ready: async () => key, renew: async () => false, close: () => undefined };
}

function publicKeys(text: string): JWTVerifyGetKey {
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}

/** White space around a secret in a file or variable (a final newline) is not part of it. */
function secretKey(text: string, bytesMin: number): JWTVerifyGetKey {
  const secret = Buffer.from(text.trim());
  if (secret.length < bytesMin)
    throw new Error(`the shared secret has ${secret.length} bytes; its algorithms need at least ${bytesMin}`);
  return async () => secret;
}

interface Source {
  readonly times: Times;
  readonly read: (signal: AbortSignal) => Promise<string>;
  readonly parse: (text: string) => JWTVerifyGetKey;
}

class ChangingKeys implements KeySource {
  version = 0;
  private key: JWTVerifyGetKey | undefined;
  /** The data that the keys were made from. */
  private text: string | undefined;
  private failing = false;
  private flight: Promise<void> | undefined;
  private abort: AbortController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: KeySourceOptions,
    private readonly source: Source,
  ) {}

  begin(text: string): void {
    this.take(text);
    this.schedule();
  }

  async ready(): Promise<JWTVerifyGetKey> {
    if (this.key === undefined) await this.flight;
    if (this.key === undefined) throw unavailable();
    return this.key;
  }

  async renew(version: number): Promise<boolean> {
    if (this.version === version) await this.flight;
    if (this.version !== version) return true;
    const now = performance.now();
    if (this.flight === undefined && now - this.askedAt >= this.source.times.renewMs) {
      this.askedAt = now;
      void this.load();
    }
    // This call's lookup, or one that another call has started since.
    await this.flight;
    if (this.version !== version) return true;
    // It is unknown whether a newer key exists, which is not the token's fault.
    if (this.failing) throw unavailable();
    return false;
  }

  /** One lookup at a time. Never rejects. */
  load(): Promise<void> {
    this.flight ??= this.attempt().finally(() => {
      this.flight = undefined;
      this.schedule();
    });
    return this.flight;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  private async attempt(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    const { timeoutMs } = this.source.times;
    const late = setTimeout(() => abort.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      this.take(await this.source.read(abort.signal));
      this.failing = false;
    } catch (error) {
      // Logged once per failure period, not per attempt.
      if (!this.failing && !this.closed) this.options.onTrouble(error);
      this.failing = true;
    } finally {
      clearTimeout(late);
    }
  }

  private take(text: string): void {
    if (text === this.text) return;
    this.key = this.source.parse(text);
    this.text = text;
    this.version += 1;
    this.options.onChange();
  }

  private schedule(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    const { refreshMs, retryMs } = this.source.times;
    const inMs = this.failing ? Math.min(retryMs, refreshMs) : refreshMs;
    this.timer = setTimeout(() => void this.load(), inMs).unref();
  }
}

function unavailable(): ProblemError {
  return new ProblemError('identity-unavailable', 'the keys that verify tokens cannot be fetched, try again');
}
