/** Identifies callers by a signed token (JWT) in a header. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { type ClaimPlaces, claimReader } from './claims.js';
import { headerFinder } from './header-finder.js';
import type { Identifier, Identity } from './identifier.js';
import { type TokenRules, VerifiedTokens } from './verified-tokens.js';

export interface JwtOptions extends TokenRules {
  /** `authorization`: as `Bearer <token>`; any other: the token, with or without `Bearer`. */
  readonly header: string;
  readonly claims: ClaimPlaces;
}

export interface JwtIdentifier extends Identifier {
  identify(request: Pick<IncomingMessage, 'rawHeaders'>): Identity | undefined | Promise<Identity>;
  close(): void;
}

/** Throws if the options, or a file of keys, are invalid. */
export function jwt(options: JwtOptions): JwtIdentifier {
  const { header, claims } = options;
  const tokenOf = tokenFinder(header);
  const tokens = new VerifiedTokens<Identity>(options, {
    read: claimReader(claims),
    lengthOf: ({ user, userId, claims: groups }) => user.length + userId.length + groups.length,
  });
  return {
    headers: [header],
    identify({ rawHeaders }) {
      const token = tokenOf(rawHeaders);
      return token === undefined ? undefined : tokens.read(token);
    },
    close: () => tokens.close(),
  };
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
