/** The door of the inline proxy: a Fastify server whose requests walk the corridor as node gives them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { ProblemError } from '../errors/catalogue.js';
import type { Me } from './me.js';
import { refusal } from './refusal.js';

export interface GatewayOptions {
  readonly walk: (request: IncomingMessage, response: ServerResponse) => void;
  /** Path and handler of the caller's own figures. */
  readonly quotaPath: string;
  readonly me: Me;
  readonly onError: (error: unknown) => void;
}

/** Headers larger than this are refused by node with 431. */
const HEADERS_MAX_BYTES = 32_768;
const REQUEST_HEADERS_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;

export function buildGateway({ walk, quotaPath, me, onError }: GatewayOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A long upload is bounded by its upstream, not here.
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: HEADERS_MAX_BYTES, headersTimeout: REQUEST_HEADERS_TIMEOUT_MS },
    exposeHeadRoutes: false,
    // A target that Fastify cannot read goes the same way as all others: the corridor judges it.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      walk(request.raw, reply.raw);
    },
  });

  app.get(quotaPath, async (request, reply) => {
    const answer = await me(request.raw).catch((error: unknown) => {
      if (error instanceof ProblemError) return refusal(error);
      onError(error);
      return refusal(new ProblemError('internal', 'The figures could not be read.'));
    });
    reply.hijack();
    reply.raw.writeHead(answer.status, answer.headers);
    reply.raw.end(answer.body);
  });

  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url === quotaPath) return done();
    // From here on the answer is the corridor's: it streams, and Fastify's own reply is not used.
    reply.hijack();
    walk(request.raw, reply.raw);
  });
  return app;
}
