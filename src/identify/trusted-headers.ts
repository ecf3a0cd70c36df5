/** Identifies callers by headers that a trusted peer sets. The sender of these headers decides who pays. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { isName, userKeyOf } from '../quota/id.js';
import { groupClaims } from './group-claims.js';
import { type Found, headerFinder } from './header-finder.js';
import type { Identifier, Identity } from './identifier.js';
import { trustedPeers } from './peers.js';

export interface TrustedHeadersOptions {
  /** Subnets in CIDR form, IPv4 and IPv6, whose hosts are trusted. */
  readonly peers: readonly string[];
  /** Header names. */
  readonly org: string;
  readonly user: string;
  readonly groups?: string | undefined;
}

interface Names {
  readonly org: string;
  readonly user: string;
  /** '' if groups come only from the directory. */
  readonly groups: string;
}

export function trustedHeaders(options: TrustedHeadersOptions): Identifier {
  const org = options.org.toLowerCase();
  const user = options.user.toLowerCase();
  const groups = options.groups?.toLowerCase() ?? '';
  const headers = groups === '' ? [org, user] : [org, user, groups];
  const find = headerFinder(headers);
  const isTrusted = trustedPeers(options.peers);
  return {
    headers,
    identify(request: IncomingMessage): Identity | undefined {
      const found = find(request.rawHeaders);
      if (found === undefined) return undefined;
      if (!isTrusted(request.socket.remoteAddress)) {
        throw new ProblemError(
          'identity-untrusted',
          `the peer ${request.socket.remoteAddress} is not listed under identity.trusted.peers`,
        );
      }
      return identityOf(found, { org, user, groups });
    },
  };
}

function identityOf({ values, fault }: Found, names: Names): Identity {
  if (fault !== undefined) throw invalid(fault);
  const [org, user, groups] = values;
  if (org === undefined || org === '') throw invalid(`The header ${names.org} is missing or empty.`);
  if (user === undefined || user === '') throw invalid(`The header ${names.user} is missing or empty.`);
  if (!isName(org)) throw invalid(`The header ${names.org} does not contain a valid id.`);
  const userId = textOf(user);
  const userKey = userId === undefined ? undefined : userKeyOf(userId);
  if (userId === undefined || userKey === undefined) {
    throw invalid(`The header ${names.user} does not contain a valid user id: 1 to 256 bytes of UTF-8.`);
  }
  const claims = groups === undefined || groups === '' ? '' : claimsOf(groups, names.groups);
  return { org, user: userKey, userId, claims };
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** Node decodes header values as Latin-1, byte by byte, but ids are UTF-8. */
function textOf(value: string): string | undefined {
  if (!BEYOND_ASCII.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/**
 * An empty entry in the list is refused, not skipped: a template may have failed to fill in a group, and without that
 * group its limit would not apply.
 */
function claimsOf(value: string, header: string): string {
  if (isName(value)) return value;
  const groups = value.split(',').map((part) => part.trim());
  return groupClaims(groups, `The header ${header}`, invalid);
}

function invalid(detail: string): ProblemError {
  return new ProblemError('identity-invalid', detail);
}
