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
import { type Refusal, refusal } from './refusal.js';

export interface GatewayOptions {
  readonly enter: (request: IncomingMessage, response: ServerResponse) => void;
  /** Path and handler of the caller's own quota figures. */
  readonly quotaPath: string;
  readonly me: Me;
  /** What the caller consumed over time, at `<quotaPath>/history`. */
  readonly history: Me;
  /** Takes a caller's request for a raise, at `<quotaPath>/requests`. Undefined: the path is not ours at present. */
  readonly raiseRequests?: () => Me | undefined;
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
  const { enter: pipeline, clients, onRefused } = options;
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

  const ownOf = serveOwnPaths(app, options);
  app.addHook('onRequest', (request, reply, done) => {
    if (ownOf(request.routeOptions.url ?? '') !== undefined) {
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

/** Where callers ask for a raise. */
export function raiseRequestsPath(quotaPath: string): string {
  return `${quotaPath}/requests`;
}

/** The gateway's own paths. Returns what answers a path now; undefined: it is for the pipeline. */
function serveOwnPaths(app: FastifyInstance, options: GatewayOptions): (path: string) => Me | undefined {
  const { quotaPath, me, history, raiseRequests = () => undefined, onError } = options;
  const reads = new Map([
    [quotaPath, me],
    [`${quotaPath}/history`, history],
  ]);
  const raisePath = raiseRequestsPath(quotaPath);
  const ownOf = (path: string) => (path === raisePath ? raiseRequests() : reads.get(path));
  const answer = async ({ raw, routeOptions }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const own = ownOf(routeOptions.url ?? '') ?? me;
    const { status, headers, body } = await own(raw).catch((error: unknown) => ownRefusal(error, onError));
    reply.hijack();
    // Unread bytes of a body would be read as the next request.
    const rest = raw.method === 'POST' && !raw.complete ? ['Connection', 'close'] : [];
    reply.raw.writeHead(status, [...headers, ...rest]);
    reply.raw.end(body);
  };
  // Who answers reads the body.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  for (const path of reads.keys()) app.get(path, answer);
  app.post(raisePath, answer);
  return ownOf;
}

function ownRefusal(error: unknown, onError: GatewayOptions['onError']): Refusal {
  if (error instanceof ProblemError) return refusal(error);
  onError(error);
  return refusal(new ProblemError('internal', 'the quota figures could not be read'));
}

/** Given to the constructor, so that a start does not load the compilers of Fastify. */
function noSchema(): never {
  throw new Error('a route of the gateway has a schema, and nothing to check it with');
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
    schemaController: { compilersFactory: { buildValidator: noSchema, buildSerializer: noSchema } },
  };
  if (tls === undefined) return { ...common, http };
  // With TLS the server has another class, but the same members that are used here.
  const https = { ...http, ...tls, handshakeTimeout: TLS_HANDSHAKE_MS };
  return { ...common, https } as FastifyHttpOptions<Server>;
}
