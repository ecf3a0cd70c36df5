/**
 * The permissions: one row per endpoint. A route without a row is not registered, so no endpoint is open by mistake.
 * `docs/reference/roles.md` is generated from this table, and a test checks every cell.
 */
export const ROLES = ['admin', 'quota-manager', 'viewer'] as const;
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
 * orgs, and nothing of others. `all`: all orgs, so only a token for all orgs may call it.
 */
export type Reach = 'path' | 'own' | 'all';

export interface Rule {
  readonly roles: readonly Role[];
  readonly reach: Reach;
}

const row = (reach: Reach, roles: readonly Role[]): Rule => ({ reach, roles });

const READERS = ROLES;
const MANAGERS = ['admin', 'quota-manager'] as const;
/** What the org pays for, and credentials. */
const ADMINS = ['admin'] as const;

export const RULES: Readonly<Record<string, Rule>> = {
  'GET /v1/orgs': row('own', READERS),
  'GET /v1/orgs/:org': row('path', READERS),
  'PUT /v1/orgs/:org': row('path', ADMINS),
  'DELETE /v1/orgs/:org': row('path', ADMINS),
  'GET /v1/orgs/:org/overview': row('path', READERS),
  'PUT /v1/orgs/:org/plans/:quota': row('path', ADMINS),
  'POST /v1/orgs/:org/plans/:quota/extra': row('path', ADMINS),
  'GET /v1/orgs/:org/users': row('path', READERS),
  'POST /v1/orgs/:org/users': row('path', MANAGERS),
  'GET /v1/orgs/:org/users/:user': row('path', READERS),
  'PATCH /v1/orgs/:org/users/:user': row('path', MANAGERS),
  'DELETE /v1/orgs/:org/users/:user': row('path', MANAGERS),
  'GET /v1/orgs/:org/groups': row('path', READERS),
  'POST /v1/orgs/:org/groups': row('path', MANAGERS),
  'GET /v1/orgs/:org/groups/:group': row('path', READERS),
  'PATCH /v1/orgs/:org/groups/:group': row('path', MANAGERS),
  'DELETE /v1/orgs/:org/groups/:group': row('path', MANAGERS),
  'PUT /v1/orgs/:org/groups/:group/members/:user': row('path', MANAGERS),
  'DELETE /v1/orgs/:org/groups/:group/members/:user': row('path', MANAGERS),
  'GET /v1/orgs/:org/limits': row('path', READERS),
  'POST /v1/orgs/:org/limits': row('path', MANAGERS),
  'GET /v1/orgs/:org/limits/:limit': row('path', READERS),
  'PATCH /v1/orgs/:org/limits/:limit': row('path', MANAGERS),
  'DELETE /v1/orgs/:org/limits/:limit': row('path', MANAGERS),
  'POST /v1/orgs/:org/limits/distribute': row('path', MANAGERS),
  'GET /v1/orgs/:org/usage': row('path', READERS),
  'GET /v1/orgs/:org/holds': row('path', READERS),
  'DELETE /v1/orgs/:org/holds/:hold': row('path', MANAGERS),
  'GET /v1/orgs/:org/audit': row('path', READERS),
  'GET /v1/orgs/:org/keys': row('path', READERS),
  'POST /v1/orgs/:org/keys': row('path', ADMINS),
  'DELETE /v1/orgs/:org/keys/:key': row('path', ADMINS),
  'GET /v1/tokens': row('own', ADMINS),
  'POST /v1/tokens': row('own', ADMINS),
  'DELETE /v1/tokens/:token': row('own', ADMINS),
  'GET /v1/audit': row('all', ADMINS),
};

/** HEAD needs the same role as GET. */
export function ruleOf(method: string, url: string): Rule | undefined {
  return RULES[`${method === 'HEAD' ? 'GET' : method} ${url}`];
}

export function reaches(orgs: Orgs, org: string): boolean {
  return orgs === 'all' || orgs.includes(org);
}

/** Returns whether everything that `part` covers is within `whole`. */
export function isWithin(part: Orgs, whole: Orgs): boolean {
  if (whole === 'all') return true;
  return part !== 'all' && part.every((org) => whole.includes(org));
}
