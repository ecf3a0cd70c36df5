/**
 * Identifies callers by an API key `qg_<org>_<key id>_<secret>`. The key names its org. The ledger finds its owner and
 * checks its validity in the decision's own call, so every replica refuses a revoked key on the next request.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { ProblemError } from '../errors/catalogue.js';
import { isName } from '../quota/id.js';
import type { Identifier, Identity } from './identifier.js';

export interface ApiKeyOptions {
  /** Headers that may contain the key: as `Bearer <key>` in `authorization`, without a prefix in any other. */
  readonly headers: readonly string[];
}

/** Ids and secrets have no `_`, but an org's id may, so the key is parsed from its end. */
const KEY = /^qg_(.{1,64})_([A-Za-z0-9-]{8,64})_([A-Za-z0-9-]{16,128})$/;
const BEARER = /^bearer +(qg_\S+) *$/i;

/** Hashes of secrets are cached: hashing costs more than everything else here, and keys repeat. */
const REMEMBERED_MAX = 10_000;

export function apiKeys(options: ApiKeyOptions): Identifier {
  const headers = options.headers.map((name) => name.toLowerCase());
  const known = new LRUCache<string, Identity>({ max: REMEMBERED_MAX });
  return {
    headers,
    identify(request) {
      const text = keyAmong(request, headers);
      if (text === undefined) return undefined;
      let identity = known.get(text);
      if (identity === undefined) {
        identity = identityOf(text);
        known.set(text, identity);
      }
      return identity;
    },
  };
}

/** Two keys may name two payers, so a request with two is refused. */
function keyAmong(request: IncomingMessage, headers: readonly string[]): string | undefined {
  let found: string | undefined;
  for (const header of headers) {
    const text = keyIn(request, header);
    if (text === undefined) continue;
    if (found !== undefined) throw invalid('only one header may carry an API key');
    found = text;
  }
  return found;
}

/** Returns the key; undefined if the header is absent or contains something else (a JWT). */
function keyIn({ rawHeaders }: IncomingMessage, header: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length !== header.length || name.toLowerCase() !== header) continue;
    if (found !== undefined) throw invalid(`the header ${header} was sent more than once: send it once`);
    found = rawHeaders[index + 1] ?? '';
  }
  if (found === undefined) return undefined;
  if (header !== 'authorization') return found.trim();
  return BEARER.exec(found)?.[1];
}

function identityOf(text: string): Identity {
  const [, org = '', id = '', secret = ''] = KEY.exec(text) ?? [];
  if (!isName(org)) throw invalid('the API key does not have the form qg_<org>_<id>_<secret>');
  const hash = createHash('sha256').update(secret).digest('hex');
  return { org, user: '', userId: '', claims: '', key: `${id}:${hash}` };
}

function invalid(detail: string): ProblemError {
  return new ProblemError('credential-invalid', detail);
}
