/** The server of the reverse proxy. Fastify hands each request to the pipeline as Node's own objects. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type ErrorCode, ProblemError } from '../errors/catalogue.js';
import { Connections } from './connections.js';
import { originForm, refuseBytes, refuseTunnel, wireFault } from './http-validation.js';
import type { Me } from './me.js';
import { refusal } from './refusal.js';

export interface GatewayOptions {
  readonly enter: (request: IncomingMessage, response: ServerResponse) => void;
  /** Path and handler of the caller's own quota figures. */
  readonly quotaPath: string;
  readonly me: Me;
  /** What the caller consumed over time, at `<quotaPath>/history`. */
  readonly history: Me;
  readonly clients: ClientBounds;
  readonly onError: (error: unknown) => void;
  /** PEM; absent: no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Called for requests that are refused before they enter the pipeline. */
  readonly onRefused?: (code: ErrorCode) => void;
}

/** Timeouts for clients. */
export interface ClientBounds {
  /** For a request's line and headers. */
  readonly headersMs: number;
  /** Longest pause within a request, or while the client reads nothing of a response. */
  readonly stallMs: number;
  /** Longest pause between two requests. */
  readonly keepAliveMs: number;
}

export interface Gateway {
  readonly app: FastifyInstance;
  /** Requests whose response is still being sent. */
  readonly inFlight: number;
  /** Keeps serving, and closes each connection after its response, so that the next request reaches another replica. */
  drain(): void;
}

/** Node refuses larger headers with 431. */
const HEADERS_MAX_BYTES = 32_768;
/** How often Node checks for requests whose headers are overdue. */
const OVERDUE_EVERY_MS = 1_000;

/** A client that has not completed the TLS handshake by then is disconnected. */
const TLS_HANDSHAKE_MS = 10_000;

export function buildGateway(options: GatewayOptions): Gateway {
  const { enter: pipeline, quotaPath, me, history, clients, onError, onRefused } = options;
  const connections = new Connections();

  /** Runs when it is the request's turn: refuses an invalid request, and calls `go` for any other. */
  const enter = (request: IncomingMessage, response: ServerResponse, go: () => void): void =>
    connections.take(response, () => {
      const fault = wireFault(request);
      // Node loses bytes that arrived together with such a request, so the next response could be attributed to another
      // request.
      if (request.headers.upgrade !== undefined) response.setHeader('Connection', 'close');
      if (fault === undefined && !connections.closing) return go();
      const problem = fault ?? new ProblemError('shutting-down', 'this gateway accepts no new requests');
      onRefused?.(problem.code);
      const { status, headers, body } = refusal(problem, ['Connection', 'close']);
      response.writeHead(status, headers).end(body);
    });

  const app = Fastify({
    ...serverOptions(clients, options.tls),
    rewriteUrl: (request) => originForm(request as IncomingMessage),
    // The pipeline refuses a target that Fastify cannot parse, as it does all invalid targets.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      enter(request.raw, reply.raw, () => pipeline(request.raw, reply.raw));
    },
    clientErrorHandler: (error, socket) => {
      if (connections.isLingering(socket)) return;
      connections.markUnreadable(socket);
      const current = connections.currentOn(socket);
      // Handles invalid bytes after a request, within an unanswered request, or within a request that is being
      // answered.
      if (current?.req.complete) connections.endAfterCurrent(socket);
      else if (!current?.headersSent) onRefused?.(refuseBytes(socket, error));
      else socket.destroy();
    },
  });
  connections.watch(app.server, clients.stallMs);
  watchOddRequests(app.server, connections, onRefused);
  app.addHook('preClose', (done) => {
    connections.close();
    done();
  });

  const ownPaths = new Map([
    [quotaPath, me],
    [`${quotaPath}/history`, history],
  ]);
  const answerOwn = async (own: Me, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const answer = await own(request.raw).catch((error: unknown) => {
      if (error instanceof ProblemError) return refusal(error);
      onError(error);
      return refusal(new ProblemError('internal', 'the quota figures could not be read'));
    });
    reply.hijack();
    reply.raw.writeHead(answer.status, answer.headers);
    reply.raw.end(answer.body);
  };
  for (const [path, own] of ownPaths) app.get(path, (request, reply) => answerOwn(own, request, reply));

  app.addHook('onRequest', (request, reply, done) => {
    if (ownPaths.has(request.routeOptions.url ?? '')) {
      enter(request.raw, reply.raw, done);
      return;
    }
    // From here on the pipeline writes the response: it streams, and Fastify's reply is not used.
    reply.hijack();
    enter(request.raw, reply.raw, () => pipeline(request.raw, reply.raw));
  });
  return {
    app,
    get inFlight() {
      return connections.inFlight;
    },
    drain: () => connections.drain(),
  };
}

/** Requests that Node hands to separate listeners. */
function watchOddRequests(
  server: Server,
  connections: Connections,
  onRefused: GatewayOptions['onRefused'],
): void {
  // Without this, Node silently drops headers beyond its limit; `wireFault` counts them.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Sent when the body is first read, so only after admission.
    request.once('resume', () => {
      if (!response.headersSent) response.writeContinue();
    });
    server.emit('request', request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    if (connections.currentOn(socket) === undefined) onRefused?.(refuseTunnel(socket));
    else socket.destroy();
  });
}

function serverOptions(clients: ClientBounds, tls: GatewayOptions['tls']): FastifyHttpOptions<Server> {
  const http = {
    maxHeaderSize: HEADERS_MAX_BYTES,
    headersTimeout: clients.headersMs,
    connectionsCheckingInterval: Math.min(OVERDUE_EVERY_MS, clients.headersMs),
    requireHostHeader: false,
  };
  const common = {
    logger: false,
    keepAliveTimeout: clients.keepAliveMs,
    // A long upload is limited by its pauses, not by its length.
    requestTimeout: 0,
    // Refused here, with an error of the catalogue.
    return503OnClosing: false,
    exposeHeadRoutes: false,
  };
  if (tls === undefined) return { ...common, http };
  // With TLS the server has another class, but the same members that are used here.
  const https = { ...http, ...tls, handshakeTimeout: TLS_HANDSHAKE_MS };
  return { ...common, https } as FastifyHttpOptions<Server>;
}
