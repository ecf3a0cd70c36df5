/**
 * Replays: an upstream that supports `Idempotency-Key` answers a repeated call with its earlier answer and marks it in
 * a header. Such an answer is free if this process has charged the same call in full: same org, user, key, method,
 * path, query and body. Any other answer is charged, whatever its headers say.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AnswerObserver } from '../meter/reader.js';

/** The header by which the upstream marks a replay. */
export interface ReplayHeader {
  readonly name: string;
  readonly value: string;
}

/** The caller and the call. */
export interface Call {
  readonly org: string;
  readonly user: string;
  /** Canonical path, including the query. */
  readonly target: string;
  readonly request: IncomingMessage;
  readonly body: Buffer | undefined;
}

/**
 * How long a charged call is remembered, and the maximum number; the oldest are dropped first. About 150 bytes each.
 */
const LIFETIME_MS = 24 * 60 * 60 * 1_000;
const CALLS_MAX = 100_000;

const KEY_FIELD = 'idempotency-key';

/** Calls that were charged, by their digest, oldest first. */
export class ChargedCalls {
  private readonly chargedAt = new Map<string, number>();

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly most = CALLS_MAX,
  ) {}

  add(digest: string): void {
    const { chargedAt } = this;
    chargedAt.delete(digest);
    chargedAt.set(digest, this.now());
    for (const [oldest, at] of chargedAt) {
      if (chargedAt.size <= this.most && !this.isOver(at)) break;
      chargedAt.delete(oldest);
    }
  }

  has(digest: string): boolean {
    const at = this.chargedAt.get(digest);
    return at !== undefined && !this.isOver(at);
  }

  private isOver(at: number): boolean {
    return this.now() - at >= LIFETIME_MS;
  }
}

/** A route whose upstream marks its replays. */
export class Replays {
  private readonly name: string;
  private readonly value: string;

  constructor(
    readonly calls: ChargedCalls,
    { name, value }: ReplayHeader,
  ) {
    this.name = name.toLowerCase();
    this.value = value.toLowerCase();
  }

  /** Whether the request's body must be read: it has one, and a key. */
  needsBody({ headers, rawHeaders }: IncomingMessage): boolean {
    const has = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    return has && keyIn(rawHeaders) !== undefined;
  }

  /** Returns undefined for a call without a key: it cannot be a replay. `reader`: another observer of the answer. */
  open(call: Call, reader: AnswerObserver | undefined): ReplayObserver | undefined {
    const key = keyIn(call.request.rawHeaders);
    if (key === undefined) return undefined;
    return new ReplayObserver(this, digestOf(call, key), reader);
  }

  /** Exactly one header with that name and value. */
  marks(fields: readonly Buffer[]): boolean {
    let found: string | undefined;
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at]?.toString('latin1').toLowerCase() !== this.name) continue;
      if (found !== undefined) return false;
      found = fields[at + 1]?.toString('latin1').trim().toLowerCase();
    }
    return found === this.value;
  }
}

/** Looks for the replay mark while an answer passes. */
export class ReplayObserver implements AnswerObserver {
  isMarked = false;

  constructor(
    private readonly replays: Replays,
    private readonly digest: string,
    private readonly reader: AnswerObserver | undefined,
  ) {}

  get wasCharged(): boolean {
    return this.replays.calls.has(this.digest);
  }

  charged(): void {
    this.replays.calls.add(this.digest);
  }

  head(status: number, fields: readonly Buffer[]): boolean {
    this.isMarked = this.replays.marks(fields);
    return this.reader?.head(status, fields) ?? false;
  }

  data(chunk: Buffer): Buffer | undefined {
    return this.reader === undefined ? chunk : this.reader.data(chunk);
  }

  ready(): Promise<void> | undefined {
    return this.reader?.ready?.();
  }

  end(): Buffer | undefined {
    return this.reader?.end();
  }
}

/**
 * Returns the value of a header that is sent once. If it is sent twice, it is unknown which value the upstream uses.
 */
function keyIn(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length !== KEY_FIELD.length || rawHeaders[at]?.toLowerCase() !== KEY_FIELD) continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[at + 1];
  }
  return found === '' ? undefined : found;
}

function digestOf({ org, user, target, request, body }: Call, key: string): string {
  const about = JSON.stringify([org, user, key, request.method, target]);
  const hash = createHash('sha256').update(about).update('\n');
  return (body === undefined ? hash : hash.update(body)).digest('base64url');
}
