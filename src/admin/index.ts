/**
 * The admin API: `/v1` on its own listener; all data goes through the ledger's port. This file builds it from the
 * declarations in endpoints.ts. One hook checks permissions (auth.ts), and one handler converts errors to problems
 * (problems.ts).
 */
import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { ProblemError } from '../errors/catalogue.js';
import { LiveHistory } from '../history/live-history.js';
import { HISTORY_RETENTION, type HistoryRetention } from '../history/retention.js';
import type { Ledger } from '../ledger/port.js';
import type { QuotaDefinition } from '../quota/units.js';
import { authorize } from './access/auth.js';
import { CheckedTokens } from './access/logins.js';
import { OidcCallers, type OidcRules } from './access/oidc.js';
import type { Admin, App, TestNotifier } from './admin.js';
import { serveConsole } from './console/serve.js';
import { ENDPOINTS } from './endpoints.js';
import { answerClientError } from './http/client-error.js';
import { readJson } from './http/json-body.js';
import { type OpenApi, openApiOf } from './http/openapi.js';
import { type MethodsOf, problemSender, type SendProblem, sendNotFound } from './http/problems.js';
import { serveReference } from './http/reference.js';
import { registerEndpoint } from './http/register.js';
import { registerRowEndpoints } from './http/row-body.js';
import { compileValidator, type TypeBoxProvider } from './http/validate.js';
import { registerScim } from './scim/scope.js';
import type { UserIdAttribute } from './scim/user-record.js';
import { LoginCodes } from './session/login-codes.js';
import { type ConsoleClient, OidcLogin } from './session/oidc-login.js';
import { serveOidcLogin } from './session/oidc-routes.js';
import { SESSION_TIMES, Sessions, type SessionTimes } from './session/sessions.js';
import { Snapshots } from './snapshots/snapshots.js';
import { TOKEN_ORG } from './tokens/token-store.js';
import { IMPORT_ENDPOINTS } from './users/import.js';
import type { InvitationMail } from './users/invitation.js';
import { markReplay, readOnce } from './writes/idempotency.js';
import { KeyedMutex } from './writes/keyed-mutex.js';

export { acceptClock } from './accept-clock.js';
export { ROLES } from './access/roles.js';
export { orgDifferences } from './as-code/file-orgs.js';
export { type Accepted, acceptLoss, lostOrgs } from './orgs/accept-loss.js';
export { createOrg, type SeedOrg } from './orgs/seed.js';
export { LoginCodes } from './session/login-codes.js';
export { adminTokens, makeFirstToken } from './tokens/first-token.js';

export interface AdminOptions {
  readonly ledger: Ledger;
  readonly quotas: Readonly<Record<string, QuotaDefinition>>;
  /** An admin token for all orgs, in addition to those in the ledger. */
  readonly bootstrapToken?: string | undefined;
  /** Absent: only tokens of the ledger, and the bootstrap token. */
  readonly oidc?: (OidcRules & { readonly console?: ConsoleClient | undefined }) | undefined;
  /** Sends test messages. */
  readonly notifier?: TestNotifier | undefined;
  /** Left out: the default of the config. */
  readonly retention?: HistoryRetention;
  /** Names of the targets of the journal's export. Left out: none. */
  readonly exportTargets?: readonly string[];
  /** Quotas that an action charges; undefined if no route has it. Left out: no route is known. */
  readonly quotasOf?: (action: string) => readonly string[] | undefined;
  readonly logger?: FastifyBaseLogger;
  /** The SCIM attribute that is the user's id. Absent: `userName`. */
  readonly scimUserId?: UserIdAttribute;
  /** Absent: no mail is sent. */
  readonly invitationMail?: InvitationMail | undefined;
  /** The address of the admin API as people reach it. */
  readonly publicUrl?: string | undefined;
  readonly sessionTimes?: SessionTimes;
  /** Codes that this process hands out. Absent: none. */
  readonly loginCodes?: LoginCodes;
  /** Folder of the built console. */
  readonly consoleFolder?: string;
  /** PEM; absent: no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** 256 bytes of a percent-encoded user id, after a quota's id. */
const PARAM_LENGTH_MAX = 1_024;
const BODY_BYTES_MAX = 256 * 1_024;
const REQUEST_TIMEOUT_MS = 30_000;

/** System data with an audit log. */
export const SYSTEM_ORGS = [TOKEN_ORG];

let document: OpenApi | undefined;

/** The same for all listeners of a process. A start does not make it. */
function theDocument(): OpenApi {
  document ??= openApiOf(ENDPOINTS);
  return document;
}

/** Not listening yet. */
export function buildAdmin(options: AdminOptions): FastifyInstance {
  const admin = partsOf(options);
  const { snapshots, history, tokens } = admin;
  const sendProblem = problemSender(options.logger);
  const app = Fastify(settings(options, sendProblem));
  app.addHook('onClose', async () => {
    snapshots.close();
    history.close();
    await tokens.close();
  });
  app.decorateRequest('access');
  app.decorateRequest('session', undefined);
  app.decorateRequest('firstRead', undefined);
  app.decorateRequest('once', undefined);
  app.setErrorHandler(sendProblem);
  const methodsOf = watchMethods(app);
  const answerNotFound = sendNotFound(sendProblem, methodsOf);
  app.setNotFoundHandler(answerNotFound);
  app.removeAllContentTypeParsers();
  readJson(app, 'application/json');
  refuseEarly(app);
  serveConsole(app, options.consoleFolder);
  if (admin.oidcLogin !== undefined) serveOidcLogin(app, admin, admin.oidcLogin);
  serveReference(app, theDocument, sendProblem);
  app.register(
    async (v1) => {
      v1.addHook('onRequest', authorize(admin));
      v1.setNotFoundHandler(answerNotFound);
      v1.addHook('preHandler', readOnce);
      v1.addHook('onSend', markReplay);
      const scope = v1.withTypeProvider<TypeBoxProvider>() as App;
      for (const endpoint of ENDPOINTS.filter(({ media }) => media === 'json'))
        registerEndpoint(scope, admin, endpoint);
      registerRowEndpoints(scope, admin, IMPORT_ENDPOINTS);
      registerScim(scope, admin, { logger: options.logger, methodsOf });
    },
    { prefix: '/v1' },
  );
  return app;
}

function partsOf(options: AdminOptions): Admin {
  const { ledger, bootstrapToken, notifier, invitationMail, publicUrl } = options;
  const { scimUserId = 'userName', retention = HISTORY_RETENTION, quotasOf = () => undefined } = options;
  const { exportTargets = [] } = options;
  const { sessionTimes: times = SESSION_TIMES, loginCodes: codes = new LoginCodes() } = options;
  const quotas = new Map(Object.entries(options.quotas));
  const oidc = options.oidc && new OidcCallers(options.oidc);
  const client = options.oidc?.console;
  const oidcLogin = oidc && client && new OidcLogin(oidc, client);
  const tokens = new CheckedTokens({ ledger, bootstrapToken, oidc });
  const login = { tokens, sessions: new Sessions({ ledger, times, tokens }), codes, oidcLogin, publicUrl };
  const store = {
    ledger,
    quotas,
    mutex: new KeyedMutex(),
    snapshots: new Snapshots(ledger, [...quotas.keys()]),
    history: new LiveHistory(ledger),
  };
  return {
    ...store,
    ...login,
    operations: ENDPOINTS,
    notifier,
    invitationMail,
    scimUserId,
    retention,
    exportTargets,
    quotasOf,
  };
}

/** Records each route from now on; returns which methods a path has. */
function watchMethods(app: FastifyInstance): MethodsOf {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ method, url }) => {
    methods.set(url, new Set([...(methods.get(url) ?? []), ...[method].flat()]));
  });
  return (path) => {
    const found = [...methods].filter(([url]) => takes(url.split('/'), path.split('/')));
    return [...new Set(found.flatMap(([, some]) => [...some]))].sort();
  };
}

function takes(pattern: readonly string[], path: readonly string[]): boolean {
  const fits = (part: string, at: number): boolean =>
    part.startsWith(':') ? path[at] !== '' : part === path[at];
  // `*` stands for the rest of the path.
  if (pattern.at(-1) === '*') return pattern.length <= path.length && pattern.slice(0, -1).every(fits);
  return pattern.length === path.length && pattern.every(fits);
}

/** Given to the constructor, so that a start does not load the compilers of Fastify. */
const COMPILERS = {
  // The type of Fastify knows only schemas of Ajv.
  buildValidator: () => compileValidator as never,
  // Drops nothing that a handler returns; tests compare each response with its schema.
  buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
};

function settings(
  { logger, tls }: AdminOptions,
  sendProblem: SendProblem,
): FastifyHttpOptions<RawServerDefault> {
  const http = { requireHostHeader: false };
  // With TLS the server has another class, but the same members that are used here.
  const server = (tls === undefined ? { http } : { https: { ...http, ...tls } }) as { http: typeof http };
  return {
    ...server,
    // Log lines of the library: listening, and internal errors that no request reports.
    ...(logger === undefined ? {} : { loggerInstance: logger.child({ event: 'admin_server' }) }),
    // Request lines would put query strings, and therefore names, into the log.
    logController: new LogController({ disableRequestLogging: true }),
    // `refuseEarly` answers both with problem documents.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    schemaController: { compilersFactory: COMPILERS },
    frameworkErrors: (error, request, reply) => {
      sendProblem(new ProblemError('request-malformed', error.message), request, reply);
    },
  };
}

/** Refuses requests during shutdown, and requests without a Host header. */
function refuseEarly(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (closing) {
      reply.header('connection', 'close');
      done(new ProblemError('shutting-down', 'This process takes no new requests'));
    } else if (request.headers.host === undefined)
      done(new ProblemError('request-malformed', 'The request has no Host field'));
    else done();
  });
}
