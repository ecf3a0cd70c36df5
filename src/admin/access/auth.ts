/** Who may use the admin API, and for what: the one hook that checks tokens, their role and their orgs. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { ProblemError } from '../../errors/catalogue.js';
import { type Ledger, StoreError } from '../../ledger/port.js';
import { notFound } from '../http/problems.js';
import { accessBy } from '../tokens/token-store.js';
import { FailedLogins } from './failed-logins.js';
import { type Access, type Rule, reaches } from './roles.js';

const BEARER = /^Bearer +([^\s]+) *$/i;

const NOT_BEARER = 'The Authorization header is not of the form Bearer <token>';
const NOT_VALID = 'The bearer token is unknown, revoked or expired';

const BOOTSTRAP: Access = { who: 'bootstrap', role: 'admin', orgs: 'all', expiresAt: 0 };

/** `bootstrapToken` is an admin over all orgs for as long as the config names it. */
export function tokenAuth(ledger: Ledger, bootstrapToken: string | undefined): onRequestAsyncHookHandler {
  const bootstrap = bootstrapToken === undefined ? undefined : digestOf(bootstrapToken);
  const failedLogins = new FailedLogins(ledger);
  const refuse = async ({ ip }: FastifyRequest, token: string, detail: string): Promise<never> => {
    // A store that does not take the entry does not change the answer.
    await failedLogins.note(ip, token).catch(() => undefined);
    throw new ProblemError('token-invalid', detail);
  };
  return async (request) => {
    const token = tokenIn(request) ?? (await refuse(request, '', NOT_BEARER));
    request.firstRead = request.routeOptions.config.readFirst?.(request);
    // A refused request never reads it.
    request.firstRead?.catch(() => undefined);
    const isBootstrap = bootstrap !== undefined && timingSafeEqual(digestOf(token), bootstrap);
    const access = isBootstrap ? BOOTSTRAP : await accessOf(ledger, token);
    request.access = access ?? (await refuse(request, token, NOT_VALID));
    // An unmatched path gets 404 for every token.
    if (!request.is404) permit(request.access, ruleOfRoute(request), request.params);
  };
}

// Digests have a fixed length, so the comparison leaks nothing about the token's length.
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Undefined: the header has another form. */
function tokenIn({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined)
    throw new ProblemError('token-missing', 'The request has no Authorization header');
  return BEARER.exec(authorization)?.[1];
}

async function accessOf(ledger: Ledger, token: string): Promise<Access | undefined> {
  try {
    return await accessBy(ledger, token);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new ProblemError(
      'store-unavailable',
      'The store could not be read to look up the token; nothing changed',
      { cause: error },
    );
  }
}

function ruleOfRoute({ method, routeOptions: { url = '', config } }: FastifyRequest): Rule {
  const rule = config.endpoint?.rule;
  if (rule === undefined) throw new Error(`${method} ${url} is not declared as an endpoint`);
  return rule;
}

/** Checks the org first: an org outside the token's orgs is "not found", whatever the role. */
function permit({ role, orgs }: Access, { roles, reach }: Rule, params: unknown): void {
  if (reach === 'path') {
    const { org } = params as { readonly org: string };
    if (!reaches(orgs, org)) throw notFound(`org ${org}`);
  }
  if (!roles.includes(role))
    throw new ProblemError(
      'token-forbidden',
      `The role ${role} may not call this endpoint; required: ${roles.join(' or ')}`,
      { members: { role, roles } },
    );
  if (reach === 'all' && orgs !== 'all')
    throw new ProblemError('token-forbidden', 'Only a token for all orgs may call this endpoint');
}
