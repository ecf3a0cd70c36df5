/** Who may use the admin API, and for what: the one hook that checks tokens, their role and their orgs. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { ProblemError } from '../../errors/catalogue.js';
import { type Ledger, StoreError } from '../../ledger/port.js';
import { notFound } from '../http/problems.js';
import { accessBy } from '../tokens/token-store.js';
import { type Access, type Rule, reaches, ruleOf } from './roles.js';

const BEARER = /^Bearer +([^\s]+) *$/i;

const BOOTSTRAP: Access = { who: 'bootstrap', role: 'admin', orgs: 'all', expiresAt: 0 };

/** `bootstrapToken` is an admin over all orgs for as long as the config names it. */
export function tokenAuth(ledger: Ledger, bootstrapToken: string | undefined): onRequestAsyncHookHandler {
  const bootstrap = bootstrapToken === undefined ? undefined : digestOf(bootstrapToken);
  return async (request) => {
    const token = tokenIn(request);
    const isBootstrap = bootstrap !== undefined && timingSafeEqual(digestOf(token), bootstrap);
    const access = isBootstrap ? BOOTSTRAP : await accessOf(ledger, token);
    if (access === undefined)
      throw new ProblemError('token-invalid', 'The bearer token is not known, or not valid any more');
    request.access = access;
    // What no route matches is answered with 404 to every token.
    if (!request.is404) permit(access, ruleOfRoute(request), request.params);
  };
}

// Digests have one length, so that the comparison tells nothing about the token's.
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function tokenIn({ headers: { authorization } }: FastifyRequest): string {
  if (authorization === undefined)
    throw new ProblemError('token-missing', 'The request has no Authorization header');
  const [, token] = BEARER.exec(authorization) ?? [];
  if (token === undefined)
    throw new ProblemError('token-invalid', 'The Authorization header is not of the form Bearer <token>');
  return token;
}

async function accessOf(ledger: Ledger, token: string): Promise<Access | undefined> {
  try {
    return await accessBy(ledger, token);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new ProblemError(
      'store-unavailable',
      'The token could not be looked up; nothing was done',
      {},
      {
        cause: error,
      },
    );
  }
}

function ruleOfRoute({ method, routeOptions: { url = '' } }: FastifyRequest): Rule {
  const rule = ruleOf(method, url);
  if (rule === undefined) throw new Error(`There is no rule for ${method} ${url}`);
  return rule;
}

/** The org first: what lies outside the token's orgs is not there, whatever its role. */
function permit({ role, orgs }: Access, { roles, reach }: Rule, params: unknown): void {
  if (reach === 'path') {
    const { org } = params as { readonly org: string };
    if (!reaches(orgs, org)) throw notFound(`org ${org}`);
  }
  if (!roles.includes(role))
    throw new ProblemError('token-forbidden', `The role ${role} may not do this`, { role, roles });
  if (reach === 'all' && orgs !== 'all')
    throw new ProblemError('token-forbidden', 'Only a token over all orgs may do this');
}
