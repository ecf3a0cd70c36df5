/** Sessions of the console: log in with a token or a one-time code, see what one may do, log out. */
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { checkConsole, NOT_VALID } from '../access/auth.js';
import type { ValidToken } from '../access/callers.js';
import { type Access, mayCall, ROLES, reaches } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { keepsCookie, NO_SESSION_COOKIE, sessionCookie } from './cookie.js';
import { OIDC_LOGIN_PATH } from './oidc-routes.js';
import { LoginBody, LoginView, SessionView } from './schemas.js';

const NOT_KEPT =
  'Browsers drop the session of a page over plain HTTP: open the console over https or on localhost, or set server.adminTls, ' +
  'or admin.publicUrl where a proxy ends TLS';

const showLogin = endpoint({
  id: 'getLogin',
  method: 'GET',
  path: '/login',
  summary: 'Show how one logs in to the console, and whether this connection allows it',
  roles: ROLES,
  reach: 'none',
  answers: { 200: LoginView },
  handle: async (admin, request) => {
    const refused = isKept(admin, request) ? null : NOT_KEPT;
    const oidc = admin.oidcLogin === undefined ? null : { url: OIDC_LOGIN_PATH };
    return ok({ methods: ['token', 'code'], oidc, refused });
  },
});

const login = endpoint({
  id: 'login',
  method: 'POST',
  path: '/session',
  summary: 'Log in to the console: the session is in the cookie of the answer',
  roles: ROLES,
  reach: 'none',
  body: LoginBody,
  example: { token: 'qga_Fz8Kq2LmNp4RsT6v_…' },
  answers: { 200: SessionView },
  errors: ['token-invalid', 'login-code-invalid', 'login-insecure', 'session-forbidden'],
  handle: async (admin, request) => {
    checkConsole(request);
    if (!isKept(admin, request)) throw new ProblemError('login-insecure', NOT_KEPT);
    const { found, by } = await tokenFor(admin, request);
    const orgs = orgsOf(admin, found.access);
    // Whether the store answers is found out below.
    orgs.catch(() => undefined);
    const { access, endsAt, key, lifeMs } = await admin.sessions.open(found, by);
    const view = await sessionView(admin, access, { endsAt, idleMs: admin.sessions.idleMs, orgs });
    return { status: 200, body: view, headers: cookieHeaders(sessionCookie(key, lifeMs)) };
  },
});

const show = endpoint({
  id: 'getSession',
  method: 'GET',
  path: '/session',
  summary: 'Show who you are, which orgs you reach, and which operations you may call',
  roles: ROLES,
  reach: 'own',
  answers: { 200: SessionView },
  handle: async (admin, { access, session }) => {
    const endsAt = session?.endsAt ?? access.expiresAt;
    const idleMs = session === undefined ? undefined : admin.sessions.idleMs;
    return ok(await sessionView(admin, access, { endsAt, idleMs, orgs: orgsOf(admin, access) }));
  },
});

const logout = endpoint({
  id: 'logout',
  method: 'DELETE',
  path: '/session',
  summary: 'Log out of the console: the session ends on every replica',
  roles: ROLES,
  reach: 'own',
  answers: { 204: NoBody },
  errors: ['not-found'],
  handle: async (admin, { session }) => {
    if (session === undefined) throw notFound('session');
    await admin.sessions.end(session);
    return { status: 204, body: undefined, headers: cookieHeaders(NO_SESSION_COOKIE) };
  },
});

export const SESSION_ENDPOINTS = [showLogin, login, show, logout];

function cookieHeaders(cookie: string) {
  return { 'set-cookie': cookie, 'cache-control': 'no-store' };
}

function isKept({ publicUrl }: Admin, { headers, socket }: FastifyRequest): boolean {
  const { origin, host } = headers;
  return keepsCookie({ origin, host, encrypted: 'encrypted' in socket, publicUrl });
}

type LoginRequest = FastifyRequest & { readonly body: Static<typeof LoginBody> };

/** The token that the caller has, or that the code stands for. */
async function tokenFor(
  { tokens, codes }: Admin,
  { body: { token, code }, ip }: LoginRequest,
): Promise<{ readonly found: ValidToken; readonly by: string }> {
  if ((token === undefined) === (code === undefined)) throw invalid('body', 'must have either token or code');
  const text = token ?? codes.use(code ?? '');
  const found = text === undefined ? undefined : await tokens.find(text);
  if (found !== undefined) return { found, by: token === undefined ? 'code' : 'token' };
  await tokens.noteFailed(ip, { token: token ?? '' });
  if (token !== undefined) throw new ProblemError('token-invalid', NOT_VALID);
  throw new ProblemError(
    'login-code-invalid',
    'The code is unknown, was used, or is older than five minutes',
  );
}

const ORGS_MAX = 100;

interface Shown {
  /** 0: never. */
  readonly endsAt: number;
  /** Of a session. */
  readonly idleMs: number | undefined;
  readonly orgs: ReturnType<typeof orgsOf>;
}

async function sessionView(admin: Admin, access: Access, { endsAt, idleMs, orgs }: Shown) {
  const { who, role } = access;
  const { some, hasMore } = await orgs;
  return {
    who,
    role,
    allOrgs: access.orgs === 'all',
    orgs: some.map((org) => ({ ...org, role })),
    moreOrgs: hasMore,
    operations: admin.operations.filter(({ rule }) => mayCall(access, rule)).map(({ id }) => id),
    expiresAt: endsAt === 0 ? null : instant(endsAt),
    idleSeconds: idleMs === undefined ? null : Math.round(idleMs / 1_000),
  };
}

async function orgsOf(admin: Admin, { orgs }: Access) {
  const ids = (await admin.ledger.orgs()).filter((id) => reaches(orgs, id)).sort();
  const some = await Promise.all(ids.slice(0, ORGS_MAX).map((id) => openOrg(admin, id)));
  return { some: some.filter((org) => org !== undefined), hasMore: ids.length > ORGS_MAX };
}

/** Undefined: the org is archived, or its data is lost. */
async function openOrg({ ledger }: Admin, id: string) {
  const { values } = await ledger.read(id, [{ table: 'org', fields: ['name', 'state'] }]);
  const [name, state] = values[0] ?? [];
  return state === 'archived' || state === 'lost' ? undefined : { id, name: name ?? id };
}
