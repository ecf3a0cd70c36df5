/**
 * Every error that quotagate returns, in one table: code, status, title, cause and remedy. `npm run docs` generates
 * `README.md` beside this file from it, and a test compares the two.
 */

import { ADMIN_ERRORS } from './admin-errors.js';
import { type CatalogueEntry, entry } from './entry.js';

export type { CatalogueEntry } from './entry.js';

const IANA = 'https://iana.org/assignments/http-problem-types';
export const QUOTA_EXCEEDED = `${IANA}#quota-exceeded`;
export const REDUCED_CAPACITY = `${IANA}#temporary-reduced-capacity`;

export const CATALOGUE = {
  // Quotas
  'quota-exceeded': entry(
    429,
    'Quota exceeded',
    'The request costs more than remains of a limit: of the user, of one of their groups, or of the organization’s pool.',
    'Wait for the reset, or ask an admin to raise the limit or top up the pool.',
    QUOTA_EXCEEDED,
  ),
  'budget-held': entry(
    429,
    'The remaining quota is held by requests in flight',
    'The request would fit, but requests in flight hold the remaining units until they are settled.',
    'Retry after the seconds in Retry-After.',
    QUOTA_EXCEEDED,
  ),
  'no-plan': entry(
    403,
    'The organization has no plan for this quota',
    'The route charges a quota for which the organization has no plan.',
    'Ask an admin to set a plan for the quota.',
  ),
  'raise-requested': entry(
    409,
    'A raise of this limit was requested already',
    'Each limit has one open request for a raise, and at most one in 24 hours.',
    'Wait until an admin answers it.',
  ),
  // Identity
  'identity-missing': entry(
    401,
    'The request carries no identity',
    'The request has no credential of a kind that this gateway accepts.',
    'Send a credential that this gateway accepts.',
  ),
  'credential-invalid': entry(
    401,
    'The credential is not valid',
    'The token or API key is unknown, expired, revoked, or issued for another audience.',
    'Get a new credential.',
  ),
  'claims-invalid': entry(
    403,
    'The token does not name org, user or groups correctly',
    'The token’s signature is valid, but a claim for the org, user or groups is missing or holds an invalid id.',
    'Have the issuer add the claim, or map another claim under identity.jwt.claims.',
  ),
  'identity-invalid': entry(
    400,
    'The identity headers are not valid',
    'An identity header is missing, empty, repeated, spelled with _, or holds an invalid id.',
    'Send each identity header once, with a valid id.',
  ),
  'identity-untrusted': entry(
    403,
    'Identity headers from an untrusted peer',
    'The peer’s address is not listed under identity.trusted.peers. Nothing was charged or forwarded.',
    'Remove the headers, or list the peer under identity.trusted.peers.',
  ),
  'unknown-org': entry(
    403,
    'Organization not found',
    'The credential names an organization that does not exist.',
    'Create it through the admin API.',
  ),
  'org-archived': entry(
    403,
    'The organization is archived',
    'An admin has archived the organization; its history is kept.',
    'Use another organization.',
  ),
  'unknown-user': entry(
    403,
    'User not found',
    'The user does not exist, and identity.unknownUsers is deny.',
    'Ask an admin to add the user.',
  ),
  'inactive-user': entry(
    403,
    'The user is inactive or removed',
    'An admin has deactivated or removed the user.',
    'Ask an admin to activate the user.',
  ),
  'no-seat': entry(
    403,
    'All seats of the organization are taken',
    'The user is new, and active users take all seats.',
    'Ask an admin to free a seat or add seats.',
  ),
  'unknown-group': entry(
    403,
    'Claimed group not found',
    'The credential claims a group that the organization does not have, and identity.unknownGroups is deny. Names are case-sensitive.',
    'Create the group, correct its name, or set identity.unknownGroups to ignore.',
  ),
  'too-many-groups': entry(
    403,
    'The user is in too many groups',
    'The directory and the credential together name more than 64 groups.',
    'Reduce the groups to 64 or fewer.',
  ),
  // The request
  'route-unknown': entry(
    404,
    'Route not found',
    'Method and path match no configured route.',
    'Compare method and path with the configured routes.',
  ),
  'path-refused': entry(
    400,
    'The path is ambiguous',
    'The path can be read in two ways, so the metered path might differ from the served one.',
    'Send the plain path, without empty segments, dot segments or encoded slashes.',
  ),
  'request-malformed': entry(
    400,
    'The request is malformed',
    'The request is not valid, unambiguous HTTP/1.1.',
    'Send well-formed HTTP/1.1.',
  ),
  'headers-too-large': entry(
    431,
    'The headers are too large',
    'The request line and header fields exceed the number or size that the gateway reads.',
    'Send fewer or shorter header fields.',
  ),
  'request-timeout': entry(
    408,
    'The request headers did not arrive in time',
    'The header fields took longer to arrive than server.clients allows.',
    'Send the complete headers at once.',
  ),
  'upgrade-refused': entry(
    501,
    'Connection upgrades are not supported',
    'The request asks for an upgrade, for example to WebSocket, whose traffic cannot be metered.',
    'Use plain HTTP requests.',
  ),
  'method-refused': entry(
    501,
    'The method is not supported',
    'TRACE would reveal the upstream’s credentials, and CONNECT opens a tunnel.',
    'Use another method.',
  ),
  'expectation-refused': entry(
    417,
    'The expectation is not supported',
    'The Expect field asks for something other than 100-continue.',
    'Remove the Expect field.',
  ),
  'body-malformed': entry(
    400,
    'The body is not valid JSON',
    'The body is not strict JSON in UTF-8, nests too deeply, or repeats a key on the metered path.',
    'Send valid JSON without duplicate keys on the metered path.',
  ),
  'body-too-large': entry(
    413,
    'The body is too large',
    'The gateway reads the body to price the request, and it exceeds the route’s bodyLimitBytes.',
    'Send a smaller body, or split the request.',
  ),
  'body-encoded': entry(
    415,
    'The body’s type or encoding cannot be metered',
    'With this coding, charset or content type, the upstream could read a different cost than the gateway.',
    'Send plain JSON in UTF-8, as application/json, without Content-Encoding.',
  ),
  'cost-invalid': entry(
    400,
    'The cost of the request is not valid',
    'The header or JSON value of the cost is missing, repeated, negative, too large, not a number, or has too many decimals.',
    'Send a number ≥ 0 with no more decimals than the quota has.',
  ),
  'model-unknown': entry(
    400,
    'Model not found',
    'The request names no model, or a model without an entry under `models` in the config.',
    'Name a model that this gateway serves, or have the operator add it to `models`.',
  ),
  // The store
  'store-unavailable': entry(
    503,
    'The store is unavailable',
    'The store did not answer within the deadline, and the route does not admit requests without it.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  'identity-unavailable': entry(
    503,
    'Tokens cannot be verified right now',
    'The issuer’s keys could not be fetched.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  'store-lost': entry(
    503,
    'The organization’s data is missing in the store',
    'The store answers, but data that it had is gone. Counting from 0 would exceed the limits.',
    'An operator must restore the data, or accept the loss with `quotagate store accept-loss`.',
    REDUCED_CAPACITY,
  ),
  'hold-lost': entry(
    503,
    'The hold of the response is lost',
    'The response needs a larger hold, but the store does not have its hold: a fail-over lost it.',
    'Retry. If it recurs, check the durability of the store.',
    REDUCED_CAPACITY,
  ),
  'backlog-full': entry(
    503,
    'Too many settlements wait for the store',
    'The store is slow or down, and the gateway must not drop settlements.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  // The upstream
  'upstream-unreachable': entry(
    502,
    'The upstream cannot be reached',
    'The gateway could not connect to the upstream. Nothing was sent or charged.',
    'Retry later.',
  ),
  'upstream-broken': entry(
    502,
    'The upstream closed the connection',
    'The connection to the upstream ended before a response status arrived. Nothing is charged.',
    'Retry, if the request is safe to repeat.',
  ),
  'upstream-timeout': entry(
    504,
    'The upstream did not answer in time',
    'The upstream exceeded the configured time-out. Nothing is charged.',
    'Retry later.',
  ),
  'shutting-down': entry(
    503,
    'This gateway is shutting down',
    'The process is stopping and accepts no new requests.',
    'Retry: another replica will answer.',
  ),
  ...ADMIN_ERRORS,
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** The content of a problem body. A plain object: a refusal does not pay for an Error and its stack. */
export interface Problem {
  readonly code: ErrorCode;
  /** The body's `detail`: what happened to this request, beside the catalogue's title. */
  readonly message: string;
  /** Further members of the body. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** Further members of the body, and the error that caused the problem. */
export interface ProblemDetails extends ErrorOptions {
  readonly members?: Problem['members'];
}

export class ProblemError extends Error implements Problem {
  override readonly name = 'ProblemError';
  readonly members: Problem['members'];

  constructor(
    readonly code: ErrorCode,
    detail: string,
    { members = {}, ...options }: ProblemDetails = {},
  ) {
    // Without a `cause`, the error has no such property.
    super(detail, options);
    this.members = members;
  }

  get status(): number {
    return CATALOGUE[this.code].status;
  }
}

/** The RFC 9457 body of a problem. */
export function problemBody({ code, message, members }: Problem): Record<string, unknown> {
  const { status, title, type }: CatalogueEntry = CATALOGUE[code];
  return { type: type ?? 'about:blank', title, status, detail: message, code, ...members };
}
