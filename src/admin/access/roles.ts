/**
 * The roles. Each endpoint declares which of them may call it, so no endpoint is open by mistake.
 */
export const ROLES = ['admin', 'quota-manager', 'viewer', 'scim'] as const;
export type Role = (typeof ROLES)[number];

/** The orgs of a token: all, including future ones, or the listed ones. */
export type Orgs = 'all' | readonly string[];

/** What a caller of the admin API may do, and their name in the audit log. */
export interface Access {
  readonly who: string;
  readonly role: Role;
  readonly orgs: Orgs;
  /** 0: never. */
  readonly expiresAt: number;
}

/**
 * Which orgs an endpoint concerns. `path`: the one in its path, which must belong to the token. `own`: the token's
 * orgs, and nothing of others. `all`: all orgs, so only a token for all orgs may call it. `none`: it needs no token.
 */
export type Reach = 'path' | 'own' | 'all' | 'none';

export interface Rule {
  readonly roles: readonly Role[];
  readonly reach: Reach;
}

export const READERS = ['admin', 'quota-manager', 'viewer'] as const;
export const MANAGERS = ['admin', 'quota-manager'] as const;
/** What the org pays for, and credentials. */
export const ADMINS = ['admin'] as const;
/** Who changes users and groups over SCIM, which every role may read; the role scim reaches nothing else. */
export const DIRECTORIES = ['admin', 'quota-manager', 'scim'] as const;

export function reaches(orgs: Orgs, org: string): boolean {
  return orgs === 'all' || orgs.includes(org);
}

/** Whether a caller may call an endpoint, in an org that it reaches. */
export function mayCall({ role, orgs }: Access, { roles, reach }: Rule): boolean {
  return roles.includes(role) && (reach !== 'all' || orgs === 'all');
}

/** Returns whether everything that `part` covers is within `whole`. */
export function isWithin(part: Orgs, whole: Orgs): boolean {
  if (whole === 'all') return true;
  return part !== 'all' && part.every((org) => whole.includes(org));
}
