/**
 * Identity from headers that a trusted peer sets. Whoever can set them decides who pays, so anything that two
 * readers could read differently is refused: headers sent twice, `x_quota_user` beside `x-quota-user`
 * (CGI-like servers take them for one), and `Connection: x-quota-user` (which asks the next hop to drop it).
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { GROUPS_MAX } from '../quota/charge.js';
import { isName, userToken } from '../quota/id.js';
import type { Identifier, Identity } from './identifier.js';
import { trustedPeers } from './peers.js';

export interface TrustedHeadersOptions {
  /** Subnets in CIDR form, IPv4 and IPv6, whose hosts may say who pays. */
  readonly peers: readonly string[];
  /** Header names. */
  readonly org: string;
  readonly user: string;
  readonly groups?: string | undefined;
}

const CONNECTION = 'connection';

/** What one pass over the headers found; `fault` is the first thing that makes them unusable. */
interface Found {
  org: string | undefined;
  user: string | undefined;
  groups: string | undefined;
  fault: string | undefined;
}

interface Names {
  readonly org: string;
  readonly user: string;
  /** '' where groups come from the directory alone. */
  readonly groups: string;
  readonly all: readonly string[];
  /** By length: the first letters of the headers of that length that concern us. Most headers end here. */
  readonly firstLetters: readonly string[];
}

export function trustedHeaders(options: TrustedHeadersOptions): Identifier {
  const names = prepare(options);
  const isTrusted = trustedPeers(options.peers);
  return {
    headers: names.all,
    identify(request: IncomingMessage): Identity | undefined {
      const found = find(request.rawHeaders, names);
      if (found === undefined) return undefined;
      if (!isTrusted(request.socket.remoteAddress)) {
        throw new ProblemError('identity-untrusted', 'This peer may not send identity headers.');
      }
      return identityOf(found, names);
    },
  };
}

function prepare(options: TrustedHeadersOptions): Names {
  const org = options.org.toLowerCase();
  const user = options.user.toLowerCase();
  const groups = options.groups?.toLowerCase() ?? '';
  const all = [org, user, groups].filter((name) => name !== '');
  if (org === '' || user === '' || new Set(all).size !== all.length || all.some((name) => name.includes('_')))
    throw new Error('identity headers need different names without underscores');
  const firstLetters: string[] = [];
  for (const name of [...all, CONNECTION]) {
    const letter = name.charAt(0);
    firstLetters[name.length] = `${firstLetters[name.length] ?? ''}${letter}${letter.toUpperCase()}`;
  }
  // Filled, so that the look-up by length stays in a packed array.
  return { org, user, groups, all, firstLetters: Array.from(firstLetters, (letters) => letters ?? '') };
}

/** One pass over the flat array of names and values. Undefined: nothing in it concerns identity. */
function find(rawHeaders: readonly string[], names: Names): Found | undefined {
  let found: Found | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] ?? '';
    if (raw.length >= names.firstLetters.length) continue;
    if (names.firstLetters[raw.length]?.includes(raw.charAt(0)) !== true) continue;
    const name = raw.toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === CONNECTION) {
      const named = identityHeaderIn(value, names);
      if (named === undefined) continue;
      found ??= nothing();
      found.fault ??= `Connection must not name ${named}.`;
    } else {
      const plain = name.includes('_') ? name.replaceAll('_', '-') : name;
      if (!names.all.includes(plain)) continue;
      found ??= nothing();
      note(found, names, name, plain, value);
    }
  }
  return found;
}

function nothing(): Found {
  return { org: undefined, user: undefined, groups: undefined, fault: undefined };
}

function note(found: Found, names: Names, name: string, plain: string, value: string): void {
  if (name !== plain) {
    found.fault ??= `The header ${name} can be taken for ${plain}.`;
    return;
  }
  const slot = plain === names.org ? 'org' : plain === names.user ? 'user' : 'groups';
  if (found[slot] !== undefined) found.fault ??= `The header ${plain} must be sent once.`;
  found[slot] = value;
}

/** The identity header that a Connection header names, in any spelling. */
function identityHeaderIn(connection: string, names: Names): string | undefined {
  if (connection === 'keep-alive' || connection === 'close') return undefined;
  const options = connection.toLowerCase().replaceAll('_', '-').split(',');
  return names.all.find((name) => options.some((option) => option.trim() === name));
}

function identityOf(found: Found, names: Names): Identity {
  if (found.fault !== undefined) throw invalid(found.fault);
  const { org, user, groups } = found;
  if (org === undefined || org === '') throw invalid(`The header ${names.org} is missing or empty.`);
  if (user === undefined || user === '') throw invalid(`The header ${names.user} is missing or empty.`);
  if (!isName(org)) throw invalid(`The header ${names.org} does not hold a valid id.`);
  const userId = textOf(user);
  const token = userId === undefined ? undefined : userToken(userId);
  if (userId === undefined || token === undefined) {
    throw invalid(`The header ${names.user} does not hold a valid user id: 1 to 256 bytes of UTF-8.`);
  }
  const claims = groups === undefined || groups === '' ? '' : claimsOf(groups, names.groups);
  return { org, user: token, userId, claims };
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** Node reads header values as Latin-1, byte by byte; ids are UTF-8. */
function textOf(value: string): string | undefined {
  if (!BEYOND_ASCII.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/**
 * Group ids, each once. An empty place in the list is refused, not skipped: it is what a template leaves of a
 * group whose name it lacked, and without that group its ceiling would not count.
 */
function claimsOf(value: string, header: string): string {
  if (isName(value)) return value;
  const groups = new Set<string>();
  for (const part of value.split(',')) {
    const group = part.trim();
    if (!isName(group)) throw invalid(`The header ${header} does not hold valid group ids.`);
    groups.add(group);
  }
  if (groups.size > GROUPS_MAX) {
    throw new ProblemError(
      'too-many-groups',
      `The header ${header} names ${groups.size} groups; at most ${GROUPS_MAX} can be checked.`,
    );
  }
  return [...groups].join(',');
}

function invalid(detail: string): ProblemError {
  return new ProblemError('identity-invalid', detail);
}
