/**
 * The gateway's own error responses, as RFC 9457 problems. Each carries `QuotaGate-Error: <code>`, so that callers and
 * proxies can distinguish the gateway's 403 from the upstream's; the header is dropped from upstream responses.
 */
import type { IncomingMessage } from 'node:http';
import { CATALOGUE, type ErrorCode, type Problem, ProblemError, problemBody } from '../errors/catalogue.js';
import type { Bounds, Refused, Violation } from '../ledger/port.js';
import type { Scope } from '../quota/id.js';
import { definitionIn, formatUnits } from '../quota/units.js';
import { policyName, type QuotaLabels, type RateLimitFields, secondsUntil } from './ratelimit-fields.js';

/** Marks a response as the gateway's own; its value is the error's code. */
const ERROR_HEADER = 'QuotaGate-Error';

/** A response that is ready to write: `headers` is a flat array of names and values. */
export interface Refusal {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
  /** The error's code in the catalogue, and the content of its body. */
  readonly code?: ErrorCode;
  readonly problem?: Problem;
}

/** The error format of an API: returns the value that becomes the JSON body. */
export type ErrorShape = (problem: Problem, status: number, path?: string) => unknown;

const ASKS_FOR_PROBLEM = /\bapplication\/problem\+json\b/i;

/** The same response in the API's error format, unless the client asks for a problem. */
export function reshaped(
  refused: Refusal,
  shape: ErrorShape,
  { url = '', headers: { accept = '' } }: Pick<IncomingMessage, 'url' | 'headers'>,
): Refusal {
  const { status, headers, problem } = refused;
  if (problem === undefined || ASKS_FOR_PROBLEM.test(accept)) return refused;
  const body = Buffer.from(JSON.stringify(shape(problem, status, url.split('?', 1)[0])));
  const own = ownHeaders('application/json', body, problem.code);
  return { ...refused, headers: [...own, ...headers.slice(OWN_LENGTH)], body };
}

/** The response to an error of the catalogue. */
export function refusal(problem: Problem, headers: readonly string[] = []): Refusal {
  return answer(problem, [...extraHeaders(problem), ...headers]);
}

/** The refused request and the ledger's result. */
export interface RefusedRequest {
  readonly org: string;
  readonly userId: string;
  readonly action: string;
  /** The cycle in which the request was refused, and the store's time. */
  readonly cycle: Bounds;
  readonly now: number;
}

/** The responses to requests that exceed a quota. */
export interface QuotaRefusals {
  refusal(refused: Refused, request: RefusedRequest): Refusal;
  problem(refused: Refused, request: RefusedRequest): Problem;
}

/** `fields` writes the RateLimit headers. `raisePath`: where callers ask for a raise; undefined: nowhere. */
export function quotaRefusals(
  quotas: QuotaLabels,
  fields: RateLimitFields,
  raisePath?: string,
): QuotaRefusals {
  const problemOf = (refused: Refused, request: RefusedRequest): Problem =>
    withRaisePath(quotaProblem(quotas, refused, request), raisePath);
  return {
    problem: problemOf,
    refusal(refused, request) {
      const problem = problemOf(refused, request);
      const held = refused.reason === 'held';
      const seconds = String(Math.max(1, secondsUntil(request.cycle.end, request.now)));
      // An SDK should wait seconds, not until the cycle ends.
      const retry = held ? ['Retry-After', shortWait()] : ['Retry-After', seconds, 'X-Should-Retry', 'false'];
      return answer(problem, [...retry, ...fields(refused, request.cycle, request.now)]);
    },
  };
}

function answer(problem: Problem, headers: readonly string[]): Refusal {
  const body = Buffer.from(JSON.stringify(problemBody(problem)));
  const { code } = problem;
  const own = ownHeaders('application/problem+json', body, code);
  return { status: CATALOGUE[code].status, headers: own.concat(headers), body, code, problem };
}

/** The first headers of each response of the gateway itself. */
function ownHeaders(type: string, body: Buffer, code: ErrorCode): string[] {
  return [
    'Content-Type',
    type,
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    ERROR_HEADER,
    code,
  ];
}

const OWN_LENGTH = 8;

/** Seconds until a temporary shortage may be over, randomized so that callers do not retry all at once. */
const SHORT_WAITS = ['1', '2', '3', '4', '5'] as const;

function shortWait(): string {
  return SHORT_WAITS[Math.floor(Math.random() * SHORT_WAITS.length)] ?? '1';
}

/** RFC 9110 requires a challenge with every 401; trusted headers have no scheme of their own. */
const CHALLENGE = ['WWW-Authenticate', 'QuotaGate realm="quotagate"'];
/** RFC 6750: the client may get a new token and try again. */
const BEARER_CHALLENGE = ['WWW-Authenticate', 'Bearer realm="quotagate", error="invalid_token"'];

function extraHeaders({ code }: Problem): readonly string[] {
  const { status } = CATALOGUE[code];
  if (code === 'credential-invalid') return BEARER_CHALLENGE;
  if (status === 401) return CHALLENGE;
  return status === 503 ? ['Retry-After', shortWait()] : [];
}

const LIMIT_OF: Record<Scope, string> = {
  user: 'limit of user',
  group: 'limit of group',
  org: 'pool of organization',
};

/** The problem of a refusal, all amounts in outer units. */
function quotaProblem(quotas: QuotaLabels, refused: Refused, request: RefusedRequest): Problem {
  const first = primary(refused);
  const { quota, scope } = first;
  const { decimals, unit } = definitionIn(quotas, quota);
  const members = {
    'violated-policies': violatedPolicies(refused),
    quota,
    scope,
    subject: subjectOf(first, request),
    action: request.action,
    limit: formatUnits(first.limit, decimals),
    consumed: formatUnits(first.consumed, decimals),
    held: formatUnits(first.held, decimals),
    requested: formatUnits(first.requested, decimals),
    resetsAt: new Date(request.cycle.end).toISOString(),
  };
  const isHeld = refused.reason === 'held';
  const message =
    `${quota} quota ${isHeld ? 'held by requests in flight' : 'exceeded'}: requested ${members.requested}, ` +
    `${members.consumed} of ${members.limit} ${unit} consumed, ${members.held} held ` +
    `(${LIMIT_OF[scope]} "${members.subject}", resets ${minuteOf(request.cycle.end)})`;
  return { code: isHeld ? 'budget-held' : 'quota-exceeded', message, members };
}

/** A pool is not raised, and a shortage that ends by itself needs no raise. */
function withRaisePath(problem: Problem, raisePath: string | undefined): Problem {
  const { code, members } = problem;
  if (raisePath === undefined || code !== 'quota-exceeded' || members?.scope === 'org') return problem;
  return { ...problem, members: { ...members, raiseRequests: raisePath } };
}

/** Cycles end at whole minutes. */
function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

function violatedPolicies({ violated }: Refused): string[] {
  const names: string[] = [];
  for (const { quota, scope } of violated) {
    const name = policyName(quota, scope);
    if (!names.includes(name)) names.push(name);
  }
  return names;
}

/** The violation that the ledger names as the reason. */
function primary({ primary: place, violated }: Refused): Violation {
  const violation = violated[place];
  if (violation === undefined) throw new Error('the refusal has no primary violation');
  return violation;
}

function subjectOf({ scope, group }: Violation, { org, userId }: RefusedRequest): string {
  if (scope === 'group') return group;
  return scope === 'org' ? org : userId;
}

/** The response if no route matches. `quotaPath` itself exists, with GET only. */
export function noRouteAt(quotaPath: string): (path: string) => Refusal {
  return (path) => {
    if (path !== quotaPath)
      return refusal(new ProblemError('route-unknown', 'no route matches this method and path'));
    return refusal(new ProblemError('method-not-allowed', `only GET is allowed on ${quotaPath}`), [
      'Allow',
      'GET',
    ]);
  };
}
