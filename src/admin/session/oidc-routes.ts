/**
 * Pages of the login at the identity provider: one sends the browser there, the other is where it comes back to. The login ends in a
 * session, as `POST /v1/session` makes it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import Value from 'typebox/value';
import { ProblemError } from '../../errors/catalogue.js';
import { LOGIN_COOKIE } from '../../http/field-names.js';
import { NOT_VALID } from '../access/auth.js';
import type { Admin } from '../admin.js';
import { cookieIn, PRIVATE, sessionCookie } from './cookie.js';
import type { OidcLogin } from './oidc-login.js';

export const OIDC_LOGIN_PATH = '/login/oidc';
const CALLBACK_PATH = `${OIDC_LOGIN_PATH}/callback`;

/** How long a person may take at the provider. */
const PENDING_SECONDS = 600;
/** The browser comes back from another site, to which a `Strict` cookie is not sent. */
const ATTRIBUTES = `${PRIVATE}; SameSite=Lax`;
const NO_LOGIN_COOKIE = `${LOGIN_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;

const Pending = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
});

export function serveOidcLogin(app: FastifyInstance, admin: Admin, login: OidcLogin): void {
  app.get(OIDC_LOGIN_PATH, async (request, reply) => {
    try {
      const { url, pending } = await login.begin(callbackOf(admin, request));
      const value = Buffer.from(JSON.stringify(pending)).toString('base64url');
      const cookie = `${LOGIN_COOKIE}=${value}; ${ATTRIBUTES}; Max-Age=${PENDING_SECONDS}`;
      return reply.header('set-cookie', cookie).header('cache-control', 'no-store').redirect(url.href);
    } catch (error) {
      return reply.redirect(consoleWith(admin, error));
    }
  });
  app.get(CALLBACK_PATH, async (request, reply) => {
    reply.header('cache-control', 'no-store').header('set-cookie', NO_LOGIN_COOKIE);
    try {
      return reply.header('set-cookie', await openSession(admin, login, request)).redirect(consoleOf(admin));
    } catch (error) {
      return reply.redirect(consoleWith(admin, error));
    }
  });
}

/** Returns the cookie of the session. */
async function openSession(admin: Admin, login: OidcLogin, request: FastifyRequest): Promise<string> {
  const url = new URL(callbackOf(admin, request));
  url.search = request.url.slice(request.url.indexOf('?'));
  const { key, lifeMs } = await admin.sessions.open(await callerOf(admin, login, { request, url }), 'oidc');
  return sessionCookie(key, lifeMs);
}

interface Return {
  readonly request: FastifyRequest;
  readonly url: URL;
}

async function callerOf({ tokens }: Admin, login: OidcLogin, { request, url }: Return) {
  const pending = pendingIn(request.headers.cookie);
  if (pending === undefined)
    throw new ProblemError('login-code-invalid', 'The login was not begun in this browser, or took too long');
  try {
    return await login.end(url, pending);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code === 'identity-unavailable') throw error;
    await tokens.noteFailed(request.ip, { token: '', reason: error.message });
    throw new ProblemError('token-invalid', NOT_VALID);
  }
}

function pendingIn(cookies: string | undefined) {
  const text = cookieIn(cookies, LOGIN_COOKIE);
  try {
    const value: unknown = JSON.parse(Buffer.from(text ?? '', 'base64url').toString());
    return Value.Check(Pending, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function callbackOf(admin: Admin, request: FastifyRequest): string {
  return new URL(`.${CALLBACK_PATH}`, addressOf(admin, request)).href;
}

/** As people reach it, with a slash at the end. */
function addressOf({ publicUrl }: Admin, { headers, socket }: FastifyRequest): string {
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return `${(publicUrl ?? `${scheme}://${headers.host}`).replace(/\/$/, '')}/`;
}

function consoleOf({ publicUrl }: Admin): string {
  return `${publicUrl?.replace(/\/$/, '') ?? ''}/console/`;
}

/** The console shows why the login failed. Throws all other errors. */
function consoleWith(admin: Admin, error: unknown): string {
  if (!(error instanceof ProblemError)) throw error;
  return `${consoleOf(admin)}?login=${error.code}`;
}
