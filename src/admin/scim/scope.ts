/** Where SCIM differs from the rest of the admin API: media type and errors. */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { Admin, App } from '../admin.js';
import { readJson } from '../http/json-body.js';
import { type MethodsOf, problemSender, sendNotFound } from '../http/problems.js';
import { registerEndpoint } from '../http/register.js';
import { failureOf, MEDIA_TYPE, ScimError } from './errors.js';
import { SCIM_ENDPOINTS } from './routes.js';

const PREFIX = '/orgs/:org/scim/v2';

interface ScimOptions {
  readonly logger: FastifyBaseLogger | undefined;
  readonly methodsOf: MethodsOf;
}

export function registerScim(v1: App, admin: Admin, { logger, methodsOf }: ScimOptions): void {
  const sendProblem = problemSender(logger, (problem) => ({ ...failureOf(problem), type: MEDIA_TYPE }));
  const send = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (!(error instanceof ScimError)) return sendProblem(error, request, reply);
    const { status, body } = failureOf(error);
    return reply.code(status).type(MEDIA_TYPE).send(body);
  };
  v1.register(
    async (scope: App) => {
      scope.setErrorHandler(send);
      scope.setNotFoundHandler(sendNotFound(send, methodsOf));
      readJson(scope, MEDIA_TYPE);
      scope.addHook('onSend', async (_request, reply) => {
        if (reply.getHeader('content-type') !== undefined) reply.type(MEDIA_TYPE);
      });
      for (const endpoint of SCIM_ENDPOINTS) registerEndpoint(scope, admin, endpoint);
    },
    { prefix: PREFIX },
  );
}
