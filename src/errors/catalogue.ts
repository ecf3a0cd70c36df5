/**
 * Every error that leaves quotagate, in one table: code, status, the sentence a caller reads, and what to do about it.
 * The README's table of errors is held to this one by a test.
 */

export interface CatalogueEntry {
  readonly status: number;
  readonly title: string;
  /** What the reader can do about it. */
  readonly cure: string;
  /** RFC 9457 problem type; left out: about:blank. */
  readonly type?: string;
}

const IANA = 'https://iana.org/assignments/http-problem-types';
export const QUOTA_EXCEEDED = `${IANA}#quota-exceeded`;
export const REDUCED_CAPACITY = `${IANA}#temporary-reduced-capacity`;

const entry = (status: number, title: string, cure: string, type?: string): CatalogueEntry =>
  type === undefined ? { status, title, cure } : { status, title, cure, type };

export const CATALOGUE = {
  // Budgets
  'quota-exceeded': entry(
    429,
    'The budget is spent',
    'Wait for the reset, or ask an admin to raise the limit or top up.',
    QUOTA_EXCEEDED,
  ),
  'budget-held': entry(
    429,
    'The rest of the budget is held by requests in flight',
    'Retry after the seconds that Retry-After names.',
    QUOTA_EXCEEDED,
  ),
  'no-plan': entry(
    403,
    'The organization has no plan for this quota',
    'Ask an admin to set a plan for the quota.',
  ),
  // Who pays
  'identity-missing': entry(
    401,
    'The request carries no identity',
    'Send a credential that this gateway accepts.',
  ),
  'identity-invalid': entry(
    400,
    'The identity cannot be used',
    'Send each identity header once, with valid ids.',
  ),
  'identity-untrusted': entry(
    403,
    'Identity headers from a peer that is not trusted',
    'Remove the headers, or list the peer under identity.trusted.peers.',
  ),
  'unknown-org': entry(403, 'The organization is not known', 'Create it through the admin API.'),
  'org-archived': entry(403, 'The organization is archived', 'Use another organization.'),
  'unknown-user': entry(403, 'The user is not known', 'Ask an admin to add the user.'),
  'inactive-user': entry(403, 'The user is inactive or removed', 'Ask an admin to activate the user.'),
  'no-seat': entry(
    403,
    'All seats of the organization are taken',
    'Ask an admin to free a seat or add seats.',
  ),
  'too-many-groups': entry(
    403,
    'The user is in more groups than can be checked',
    'Reduce the groups to 64 or fewer.',
  ),
  // The request
  'route-unknown': entry(404, 'No route matches', 'Check method and path against the configured routes.'),
  'path-refused': entry(
    400,
    'The path is ambiguous',
    'Send the plain path: no empty, dot or encoded-slash segments.',
  ),
  'request-malformed': entry(400, 'The request is malformed', 'Send well-formed HTTP/1.1.'),
  'upgrade-refused': entry(501, 'Metered routes do not upgrade', 'Use plain HTTP requests on this route.'),
  'body-malformed': entry(
    400,
    'The body is not the JSON that this route is metered by',
    'Send valid JSON without duplicate keys on the metered path.',
  ),
  'body-too-large': entry(
    413,
    'The body is larger than this route accepts',
    'Send a smaller body, or split the request.',
  ),
  'body-encoded': entry(
    415,
    'The body is encoded, and this route is metered by it',
    'Send the body without content-encoding.',
  ),
  'cost-invalid': entry(
    400,
    'The cost of the request cannot be used',
    'State a cost that is a number ≥ 0 with no more decimals than the quota has.',
  ),
  // The store
  'store-unavailable': entry(503, 'Budgets cannot be checked right now', 'Retry later.', REDUCED_CAPACITY),
  'store-lost': entry(
    503,
    'The budget data of the organization is missing',
    'An operator has to restore it or accept the loss.',
    REDUCED_CAPACITY,
  ),
  'backlog-full': entry(
    503,
    'Too many settlements are waiting for the store',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  // The upstream
  'upstream-unreachable': entry(502, 'The upstream cannot be reached', 'Retry later.'),
  'upstream-broken': entry(
    502,
    'The upstream broke off before it answered',
    'Retry if the request may be repeated.',
  ),
  'upstream-timeout': entry(504, 'The upstream did not answer in time', 'Retry later.'),
  'shutting-down': entry(503, 'This gateway is shutting down', 'Retry: another replica will answer.'),
  // Admin
  'token-missing': entry(401, 'An admin token is needed', 'Send Authorization: Bearer <token>.'),
  'token-invalid': entry(401, 'The admin token is not valid', 'Check the token, or create a new one.'),
  'not-found': entry(404, 'There is no such thing', 'Check the path and the ids in it.'),
  'input-invalid': entry(422, 'The input is not valid', 'Mend the fields that are named.'),
  'limit-exists': entry(
    409,
    'The subject has a limit for this quota',
    'Change or delete the limit that exists.',
  ),
  'already-exists': entry(409, 'The id is taken', 'Use another id.'),
  'seats-taken': entry(409, 'All seats are taken', 'Free a seat or add seats.'),
  'version-stale': entry(412, 'It was changed in the meantime', 'Read it again and repeat the change.'),
  'store-busy': entry(503, 'The change met too many others', 'Retry.'),
  internal: entry(500, 'Something went wrong inside the gateway', 'Tell the operator the request id.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** An error of the catalogue, with its own sentence and the members that its problem body carries besides. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly members: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }

  get status(): number {
    return CATALOGUE[this.code].status;
  }
}

/** The RFC 9457 body of a problem. */
export function problemBody(error: ProblemError): Record<string, unknown> {
  const { status, title, type }: CatalogueEntry = CATALOGUE[error.code];
  const body = { type: type ?? 'about:blank', title, status, detail: error.message, code: error.code };
  return { ...body, ...error.members };
}
