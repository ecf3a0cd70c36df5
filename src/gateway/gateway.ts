/** The door of the inline proxy: a Fastify server whose requests walk the corridor as node gives them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { ProblemError } from '../errors/catalogue.js';
import { Connections } from './connections.js';
import type { Me } from './me.js';
import { refusal } from './refusal.js';
import { refuseBytes, wireFault } from './wire.js';

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
  const connections = new Connections();
  const refused = new WeakSet<Socket>();

  /** Whether the request may go on; one that may not is answered here. */
  const enter = (request: IncomingMessage, response: ServerResponse): boolean => {
    // What follows a malformed request on its connection may be a part of it.
    if (refused.has(request.socket)) return false;
    connections.begin(response);
    const fault = wireFault(request);
    if (fault !== undefined) refused.add(request.socket);
    else if (!connections.closing) return true;
    const problem =
      fault === undefined
        ? new ProblemError('shutting-down', 'This gateway takes no new requests.')
        : new ProblemError('request-malformed', fault);
    const { status, headers, body } = refusal(problem, ['Connection', 'close']);
    response.writeHead(status, headers).end(body);
    return false;
  };

  const app = Fastify({
    logger: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A long upload is bounded by its upstream, not here.
    requestTimeout: 0,
    // Refused here, as a problem of the catalogue.
    return503OnClosing: false,
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: REQUEST_HEADERS_TIMEOUT_MS,
      requireHostHeader: false,
    },
    exposeHeadRoutes: false,
    // A target that Fastify cannot read goes the same way as all others: the corridor judges it.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      if (enter(request.raw, reply.raw)) walk(request.raw, reply.raw);
    },
    clientErrorHandler: (error, socket) => {
      if (connections.isBusy(socket)) socket.destroy();
      else refuseBytes(socket, error);
    },
  });
  connections.watch(app.server);
  app.addHook('preClose', (done) => {
    connections.close();
    done();
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
    const enters = enter(request.raw, reply.raw);
    if (enters && request.routeOptions.url === quotaPath) return done();
    // From here on the answer is the corridor's: it streams, and Fastify's own reply is not used.
    reply.hijack();
    if (enters) walk(request.raw, reply.raw);
  });
  return app;
}
