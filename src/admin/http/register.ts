/** Turns declarations into routes of Fastify. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Admin, App } from '../admin.js';
import type { Endpoint } from './endpoint.js';
import { checkForm, checkMatch } from './etag.js';
import { invalid } from './problems.js';

/** The prefix that paths of endpoints leave out. */
const API_PREFIX = '/v1';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of routes that are declared as an endpoint. */
    endpoint?: Endpoint;
  }
}

/** `app` has the prefix of its paths. */
export function registerEndpoint(app: App, admin: Admin, endpoint: Endpoint): void {
  const { method, path, params, query, envelope, answers, media, readFirst, bodyBytesMax } = endpoint;
  app.route({
    method,
    url: path.slice(app.prefix.length - API_PREFIX.length),
    ...(bodyBytesMax === undefined ? {} : { bodyLimit: bodyBytesMax }),
    schema: {
      params,
      querystring: query,
      ...(envelope === undefined || media === 'rows' ? {} : { body: envelope }),
      response: answers,
    },
    config: {
      endpoint,
      ...(readFirst === undefined
        ? {}
        : { readFirst: (request: FastifyRequest) => readFirst(admin, request.params as never) }),
    },
    handler: (request, reply) => answer(endpoint, { admin, request, reply }),
  });
}

function knownNames({ query }: Endpoint): string {
  const names = Object.keys((query as { readonly properties?: object }).properties ?? {});
  return names.length === 0 ? '' : `; the query may have ${names.join(', ')}`;
}

interface Exchange {
  readonly admin: Admin;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function answer(endpoint: Endpoint, { admin, request, reply }: Exchange) {
  const { method, ifMatch, body: declared, handle } = endpoint;
  const stated = request.headers['if-match'];
  if (method !== 'GET') checkForm(stated);
  // The resource has no ETag, so an `If-Match` cannot match: the request is refused, not ignored.
  if (method !== 'GET' && !ifMatch) checkMatch(stated, undefined);
  // For the same reason, a body that nobody would read is refused.
  if (declared === undefined && request.body !== undefined)
    throw invalid('body', `${method} takes no body here${knownNames(endpoint)}`);
  const { status, body, headers = {} } = await handle(admin, request as never);
  reply.code(status).headers(headers);
  const { etag } = (body ?? {}) as { readonly etag?: unknown };
  if (typeof etag === 'string') reply.header('etag', etag);
  return reply.send(body);
}
