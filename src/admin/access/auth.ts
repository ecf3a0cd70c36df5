/** Who may use the admin API, and for what: the one hook that checks tokens and sessions, their role and their orgs. */
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { ProblemError } from '../../errors/catalogue.js';
import { notFound } from '../http/problems.js';
import { isByPerson, isFromConsole, sessionCookieIn, sessionKeyIn } from '../session/cookie.js';
import type { FailedLogin, Session, SessionStore, TokenLogins } from './callers.js';
import { orUnavailable } from './logins.js';
import { type Access, mayCall, type Rule, reaches } from './roles.js';

const BEARER = /^Bearer +([^\s]+) *$/i;

const NOT_BEARER = 'The Authorization header is not of the form Bearer <token>';
export const NOT_VALID = 'The bearer token is unknown, revoked or expired';

/** Of requests to endpoints that need no token. */
const NOBODY: Access = { who: 'nobody', role: 'viewer', orgs: [], expiresAt: 0 };

export interface Credentials {
  readonly tokens: TokenLogins;
  readonly sessions: SessionStore;
}

export function authorize({ tokens, sessions }: Credentials): onRequestAsyncHookHandler {
  const refuse = async ({ ip }: FastifyRequest, failed: FailedLogin, detail: string): Promise<never> => {
    await tokens.noteFailed(ip, failed);
    throw new ProblemError('token-invalid', detail);
  };
  const byToken = async (request: FastifyRequest): Promise<Access> => {
    const token = tokenIn(request) ?? (await refuse(request, { token: '' }, NOT_BEARER));
    beginRead(request);
    const found = await tokens.findBearer(token);
    const access = 'who' in found ? found : await refuse(request, found, NOT_VALID);
    tokens.noteMade(request.ip, access);
    return access;
  };
  return async (request) => {
    // An unmatched path gets 404 for every token.
    const rule = request.is404 ? undefined : ruleOfRoute(request);
    if (rule?.reach === 'none') {
      request.access = NOBODY;
      return;
    }
    const { authorization, cookie } = request.headers;
    const value = authorization === undefined ? sessionCookieIn(cookie) : undefined;
    if (value !== undefined) request.session = await sessionOf(sessions, request, value);
    request.access = request.session?.access ?? (await byToken(request));
    if (rule !== undefined) permit(request.access, rule, request.params);
  };
}

async function sessionOf(sessions: SessionStore, request: FastifyRequest, value: string): Promise<Session> {
  checkConsole(request);
  const key = sessionKeyIn(value);
  beginRead(request);
  const found = key && (await orUnavailable(sessions.find(key, isByPerson(request.headers))));
  if (found === undefined) throw new ProblemError('session-ended', 'The session has ended: log in again');
  return found;
}

/** Refuses requests that another page may have sent with the console's cookie. */
export function checkConsole({ headers }: FastifyRequest): void {
  if (!isFromConsole(headers))
    throw new ProblemError(
      'session-forbidden',
      'A session is for the console only: the request lacks the header QuotaGate-Console, or comes from another page',
    );
}

function beginRead(request: FastifyRequest): void {
  request.firstRead = request.routeOptions.config.readFirst?.(request);
  // A refused request never reads it.
  request.firstRead?.catch(() => undefined);
}

/** Undefined: the header has another form. */
function tokenIn({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined)
    throw new ProblemError('token-missing', 'The request has no Authorization header');
  return BEARER.exec(authorization)?.[1];
}

function ruleOfRoute({ method, routeOptions: { url = '', config } }: FastifyRequest): Rule {
  const rule = config.endpoint?.rule;
  if (rule === undefined) throw new Error(`${method} ${url} is not declared as an endpoint`);
  return rule;
}

/** Checks the org first: an org outside the token's orgs is "not found", whatever the role. */
function permit(access: Access, rule: Rule, params: unknown): void {
  const { role, orgs } = access;
  const { roles, reach } = rule;
  if (reach === 'path') {
    const { org } = params as { readonly org: string };
    if (!reaches(orgs, org)) throw notFound(`org ${org}`);
  }
  if (mayCall(access, rule)) return;
  if (!roles.includes(role))
    throw new ProblemError(
      'token-forbidden',
      `The role ${role} may not call this endpoint; required: ${roles.join(' or ')}`,
      { members: { role, roles } },
    );
  throw new ProblemError('token-forbidden', 'Only a token for all orgs may call this endpoint');
}
