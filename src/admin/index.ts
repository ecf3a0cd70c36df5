/**
 * The admin API: `/v1` on a listener of its own, everything through the ledger's port. This file builds it; each noun has
 * a file with its routes. One hook knows who may come in (auth.ts), one handler makes problems of errors (problems.ts).
 */
import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { ProblemError } from '../errors/catalogue.js';
import type { Ledger } from '../ledger/port.js';
import type { QuotaDefinition } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { auditRoutes } from './audit.js';
import { bearerAuth } from './auth.js';
import { distributeRoutes } from './distribute.js';
import { groupRoutes, membershipRoutes } from './groups.js';
import { holdRoutes } from './holds.js';
import { limitRoutes } from './limits.js';
import { orgRoutes } from './orgs.js';
import { overviewRoutes } from './overview.js';
import { planRoutes } from './plans.js';
import { sendNotFound, sendProblem } from './problems.js';
import { Snapshots } from './snapshots.js';
import { Turns } from './turns.js';
import { usageRoutes } from './usage.js';
import { userRoutes } from './users.js';
import { compileValidator, type TypeBoxProvider } from './validate.js';

export { createOrg, type SeedOrg } from './seed.js';

export interface AdminOptions {
  readonly ledger: Ledger;
  readonly quotas: Readonly<Record<string, QuotaDefinition>>;
  /** The one bearer token. */
  readonly token: string;
  readonly logger?: FastifyBaseLogger;
}

/** 256 bytes of a user id, percent-encoded, behind a quota's id. */
const PARAM_LENGTH_MAX = 1_024;
const BODY_BYTES_MAX = 256 * 1_024;
const REQUEST_TIMEOUT_MS = 30_000;

const ROUTES = [
  orgRoutes,
  overviewRoutes,
  planRoutes,
  userRoutes,
  groupRoutes,
  membershipRoutes,
  limitRoutes,
  distributeRoutes,
  usageRoutes,
  holdRoutes,
  auditRoutes,
];

/** Not listening yet. */
export function buildAdmin(options: AdminOptions): FastifyInstance {
  const { ledger, token } = options;
  const quotas = new Map(Object.entries(options.quotas));
  const admin: Admin = { ledger, quotas, snapshots: new Snapshots(ledger), turns: new Turns() };
  const app = Fastify(settings(options.logger));
  app.decorateRequest('who', '');
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(sendNotFound);
  readJsonOnly(app);
  app.register(
    async (v1) => {
      v1.addHook('onRequest', bearerAuth(token));
      v1.setNotFoundHandler(sendNotFound);
      for (const routes of ROUTES) routes(v1.withTypeProvider<TypeBoxProvider>() as App, admin);
    },
    { prefix: '/v1' },
  );
  return app;
}

function settings(logger: FastifyBaseLogger | undefined): FastifyServerOptions {
  return {
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    // Request lines would put query strings, and so names, into the log.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      sendProblem(new ProblemError('request-malformed', error.message), request, reply);
    },
  };
}

/** JSON is all that is read; an empty body is no body, whatever its type says. */
function readJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request, String(body), done);
  });
}
