/** Derives an identity from the claims of a verified token. */
import type { JWTPayload } from 'jose';
import { ProblemError } from '../errors/catalogue.js';
import { isName, userKeyOf } from '../quota/id.js';
import { groupClaims } from './group-claims.js';
import type { Identity } from './identifier.js';

/** Each is the exact name of a claim, or a JSON pointer (starting with `/`) to a nested one. */
export interface ClaimPlaces {
  readonly org: string;
  readonly user: string;
  /** Absent: groups come only from the directory. */
  readonly groups?: string | undefined;
}

export type FindClaim = (claims: JWTPayload) => unknown;

/** Throws a ProblemError if the claims do not identify who pays. */
export function claimReader({ org, user, groups }: ClaimPlaces): (claims: JWTPayload) => Identity {
  const findOrg = claimFinder(org);
  const findUser = claimFinder(user);
  const findGroups = groups === undefined ? () => undefined : claimFinder(groups);
  return (claims) => {
    const orgId = findOrg(claims);
    const userId = findUser(claims);
    if (typeof orgId !== 'string' || !isName(orgId))
      throw refuse(`The claim ${org} does not contain a valid org id.`);
    const userKey = typeof userId === 'string' ? userKeyOf(userId) : undefined;
    if (typeof userId !== 'string' || userKey === undefined)
      throw refuse(`The claim ${user} does not contain a valid user id.`);
    const list = listOf(findGroups(claims), `The claim ${groups}`);
    return { org: orgId, user: userKey, userId, claims: groupClaims(list, `The claim ${groups}`, refuse) };
  };
}

/** `place`: as in ClaimPlaces. */
export function claimFinder(place: string): FindClaim {
  const path = pathOf(place);
  return (claims) => path.reduce(memberOf, claims);
}

/** The claim that contains the place. */
export function outermost(place: string): string {
  return pathOf(place)[0] ?? '';
}

function pathOf(place: string): readonly string[] {
  if (!place.startsWith('/')) return [place];
  const steps = place.slice(1).split('/');
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** A list, or a string separated by commas or, if it has none, by spaces. */
function listOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') throw refuse(`${where} is neither a list nor a string.`);
  if (value.includes(',')) return value.split(',').map((part) => part.trim());
  return value.trim().split(/ +/);
}

function refuse(detail: string): ProblemError {
  return new ProblemError('claims-invalid', detail);
}
