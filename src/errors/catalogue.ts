/**
 * Every error that leaves quotagate, in one table: code, status, the sentence a caller reads, what led to it
 * and what to do about it. `README.md` beside this file is made from it by `docs.ts`, and held to it by a
 * test.
 */

export interface CatalogueEntry {
  readonly status: number;
  readonly title: string;
  /** What led to it. */
  readonly cause: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** RFC 9457 problem type; left out: about:blank. */
  readonly type?: string;
}

const IANA = 'https://iana.org/assignments/http-problem-types';
export const QUOTA_EXCEEDED = `${IANA}#quota-exceeded`;
export const REDUCED_CAPACITY = `${IANA}#temporary-reduced-capacity`;

const entry = (
  status: number,
  title: string,
  cause: string,
  remedy: string,
  type?: string,
): CatalogueEntry =>
  type === undefined ? { status, title, cause, remedy } : { status, title, cause, remedy, type };

export const CATALOGUE = {
  // Budgets
  'quota-exceeded': entry(
    429,
    'The budget is spent',
    'A limit of the user, of a group of theirs, or the pool has no room for what the request costs.',
    'Wait for the reset, or ask an admin to raise the limit or top up.',
    QUOTA_EXCEEDED,
  ),
  'budget-held': entry(
    429,
    'The rest of the budget is held by requests in flight',
    'The request would fit, were it not for units that requests in flight hold until they are settled.',
    'Retry after the seconds that Retry-After names.',
    QUOTA_EXCEEDED,
  ),
  'no-plan': entry(
    403,
    'The organization has no plan for this quota',
    'The route charges a quota for which the organization has no plan.',
    'Ask an admin to set a plan for the quota.',
  ),
  // Who pays
  'identity-missing': entry(
    401,
    'The request carries no identity',
    'No credential of a kind that this gateway accepts came with the request.',
    'Send a credential that this gateway accepts.',
  ),
  'credential-invalid': entry(
    401,
    'The credential is not valid',
    'The token or key is unknown, expired, revoked or not for this gateway.',
    'Get a new credential.',
  ),
  'claims-invalid': entry(
    403,
    'The token does not say who pays',
    'The token is genuine, but a claim that should name org, user or groups is missing or holds no valid id.',
    'Have the issuer add the claim, or map another one under identity.jwt.claims.',
  ),
  'identity-invalid': entry(
    400,
    'The identity cannot be used',
    'An identity header is missing, empty, repeated, misspelled with _, or holds an id that is not valid.',
    'Send each identity header once, with valid ids.',
  ),
  'identity-untrusted': entry(
    403,
    'Identity headers from a peer that is not trusted',
    'The address they came from is not listed. Nothing was charged or forwarded.',
    'Remove the headers, or list the peer under identity.trusted.peers.',
  ),
  'unknown-org': entry(
    403,
    'The organization is not known',
    'The credential names an organization that nobody has created.',
    'Create it through the admin API.',
  ),
  'org-archived': entry(
    403,
    'The organization is archived',
    'The organization was deleted; its history is kept.',
    'Use another organization.',
  ),
  'unknown-user': entry(
    403,
    'The user is not known',
    'Unknown users are denied here, and nobody has added this one.',
    'Ask an admin to add the user.',
  ),
  'inactive-user': entry(
    403,
    'The user is inactive or removed',
    'An admin has set the user to inactive, or removed them.',
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
    'A claimed group is not known',
    'The credential claims a group that the organization does not have, and such are denied here. Names compare exactly.',
    'Create the group, correct its name, or set identity.unknownGroups to ignore.',
  ),
  'too-many-groups': entry(
    403,
    'The user is in more groups than can be checked',
    'The directory and the credential together name more than 64 groups.',
    'Reduce the groups to 64 or fewer.',
  ),
  // The request
  'route-unknown': entry(
    404,
    'No route matches',
    'Method and path match no route, and what matches none is denied.',
    'Check method and path against the configured routes.',
  ),
  'path-refused': entry(
    400,
    'The path is ambiguous',
    'It can be read in two ways: what is metered might not be what is served.',
    'Send the plain path: no empty, dot or encoded-slash segments.',
  ),
  'request-malformed': entry(
    400,
    'The request is malformed',
    'The request is not HTTP/1.1 that has one meaning.',
    'Send well-formed HTTP/1.1.',
  ),
  'headers-too-large': entry(
    431,
    'The headers are too large',
    'Request line and header fields together have more bytes than the gateway reads.',
    'Send fewer or shorter header fields.',
  ),
  'request-timeout': entry(
    408,
    'The request did not come in time',
    'The header fields took longer to arrive than the gateway waits.',
    'Send the request in one go.',
  ),
  'upgrade-refused': entry(
    501,
    'Connections are not upgraded',
    'The request asks for an upgrade, such as to WebSocket, whose traffic could not be metered.',
    'Use plain HTTP requests.',
  ),
  'method-refused': entry(
    501,
    'The method cannot be forwarded',
    'TRACE would show the upstream’s credentials, and CONNECT is a tunnel.',
    'Send the method itself in the request line.',
  ),
  'expectation-refused': entry(
    417,
    'The expectation cannot be met',
    'An Expect field asks for something other than 100-continue.',
    'Leave the Expect field out.',
  ),
  'body-malformed': entry(
    400,
    'The body is not the JSON that this route is metered by',
    'It is not strict JSON in UTF-8, nests too deeply, or repeats a key on the metered path.',
    'Send valid JSON without duplicate keys on the metered path.',
  ),
  'body-too-large': entry(
    413,
    'The body is larger than this route accepts',
    'A body that prices the request is read to a bound before anything is forwarded.',
    'Send a smaller body, or split the request.',
  ),
  'body-encoded': entry(
    415,
    'The body cannot be metered in this form',
    'A coding, a charset or a type other than JSON would let the upstream read another cost out of it.',
    'Send plain JSON in UTF-8, as application/json, without Content-Encoding.',
  ),
  'cost-invalid': entry(
    400,
    'The cost of the request cannot be used',
    'The header or JSON value for it is missing, repeated, negative, too large, too fine or no number.',
    'State a cost that is a number ≥ 0 with no more decimals than the quota has.',
  ),
  'model-unknown': entry(
    400,
    'The model has no price',
    'The request names no model, or one that no entry of `models` in the config matches.',
    'Name a model that this gateway serves, or have the operator add it to `models`.',
  ),
  // The store
  'store-unavailable': entry(
    503,
    'Budgets cannot be checked right now',
    'The store did not answer within the deadline, and the route fails closed.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  'identity-unavailable': entry(
    503,
    'Tokens cannot be checked right now',
    'The keys to check the token with could not be had from where the issuer publishes them.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  'store-lost': entry(
    503,
    'The budget data of the organization is missing',
    'The store answers, but data that it had is gone, and counting from 0 would be wrong.',
    'An operator has to restore it, or to give it up with `quotagate store accept-loss`.',
    REDUCED_CAPACITY,
  ),
  'hold-lost': entry(
    503,
    'The hold of the answer is lost',
    'The store knows no hold of an answer that needs more: a fail-over has lost it.',
    'Retry; where it recurs, see to the durability of the store.',
    REDUCED_CAPACITY,
  ),
  'backlog-full': entry(
    503,
    'Too many settlements are waiting for the store',
    'The store has been slow or down, and no settlement may be dropped.',
    'Retry later.',
    REDUCED_CAPACITY,
  ),
  // The upstream
  'upstream-unreachable': entry(
    502,
    'The upstream cannot be reached',
    'No connection to the upstream could be made. Nothing was sent, and nothing is charged.',
    'Retry later.',
  ),
  'upstream-broken': entry(
    502,
    'The upstream broke off before it answered',
    'The connection to the upstream ended before a status came. Nothing is charged.',
    'Retry if the request may be repeated.',
  ),
  'upstream-timeout': entry(
    504,
    'The upstream did not answer in time',
    'The time allowed for an answer ran out. Nothing is charged.',
    'Retry later.',
  ),
  'shutting-down': entry(
    503,
    'This gateway is shutting down',
    'The process was told to stop, and takes no new requests.',
    'Retry: another replica will answer.',
  ),
  // Admin
  'token-missing': entry(
    401,
    'An admin token is needed',
    'The admin API was called without a bearer token.',
    'Send Authorization: Bearer <token>.',
  ),
  'token-invalid': entry(
    401,
    'The admin token is not valid',
    'The token is unknown, expired or deleted.',
    'Check the token, or create a new one.',
  ),
  'token-forbidden': entry(
    403,
    'The admin token may not do this',
    'Its role does not allow it, or it needs a token over all organizations.',
    'Use a token with the role that it needs.',
  ),
  'method-not-allowed': entry(
    405,
    'The path has no such method',
    'The path exists, but not with this method. The field Allow lists those that it has.',
    'Use a method that Allow lists.',
  ),
  'not-found': entry(
    404,
    'There is no such thing',
    'Nothing exists under this path, or the token may not see it.',
    'Check the path and the ids in it.',
  ),
  'input-invalid': entry(
    422,
    'The input is not valid',
    'A field is missing, of the wrong type or out of bounds.',
    'Mend the fields that are named.',
  ),
  'body-not-json': entry(
    415,
    'The body is not JSON',
    'The admin API reads no other type.',
    'Send Content-Type: application/json.',
  ),
  'limit-exists': entry(
    409,
    'The subject has a limit for this quota',
    'There is one limit per subject and quota.',
    'Change or delete the limit that exists.',
  ),
  'already-exists': entry(
    409,
    'The id is taken',
    'A thing with this id exists, or existed: ids are not used again.',
    'Use another id.',
  ),
  'seats-taken': entry(
    409,
    'All seats are taken',
    'Active users take all seats.',
    'Free a seat or add seats.',
  ),
  'version-stale': entry(
    412,
    'It was changed in the meantime',
    'The version that If-Match names is not the present one.',
    'Read it again and repeat the change.',
  ),
  'store-busy': entry(
    503,
    'The change met too many others',
    'Other changes of the same organization came first, again and again.',
    'Retry.',
  ),
  internal: entry(
    500,
    'Something went wrong inside the gateway',
    'A fault in quotagate, or in the way it is deployed.',
    'Tell the operator the request id.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** What a problem body is made of. A flood of refusals need not pay for an Error and its stack. */
export interface Problem {
  readonly code: ErrorCode;
  /** The body's `detail`: a sentence of its own, beside the catalogue's title. */
  readonly message: string;
  /** The members that the body carries besides. */
  readonly members: Readonly<Record<string, unknown>>;
}

export class ProblemError extends Error implements Problem {
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
export function problemBody({ code, message, members }: Problem): Record<string, unknown> {
  const { status, title, type }: CatalogueEntry = CATALOGUE[code];
  return { type: type ?? 'about:blank', title, status, detail: message, code, ...members };
}
