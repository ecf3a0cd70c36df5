/** Serves the OpenAPI document and a page to browse it, without a token: both are the same in every installation. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { OpenApi } from './openapi.js';
import { notFound, type SendProblem } from './problems.js';

/** The page needs nothing from elsewhere, and no other page may embed it. */
const CSP = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};
const PREFIX = '/v1';
const PAGES = `${PREFIX}/docs`;

/** `document` is made at the first request for it, and so are the pages. */
export function serveReference(
  app: FastifyInstance,
  document: () => OpenApi,
  sendProblem: SendProblem,
): void {
  let text: string | undefined;
  app.get(`${PREFIX}/openapi.json`, (_request, reply) => {
    text ??= JSON.stringify(document());
    reply.type('application/json').send(text);
  });
  let pages: Promise<FastifyInstance['routing']> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    pages ??= buildPages(document(), sendProblem).catch((error: unknown) => {
      pages = undefined;
      throw error;
    });
    const take = await pages;
    reply.hijack();
    take(request.raw, reply.raw);
  };
  for (const path of [PAGES, `${PAGES}/*`]) app.get(path, answer);
}

/** An app of its own: plugins can be added to a listening one no more. */
async function buildPages(document: OpenApi, sendProblem: SendProblem): Promise<FastifyInstance['routing']> {
  const { default: swagger } = await import('@fastify/swagger');
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const pages = Fastify({ genReqId: () => randomUUID() });
  pages.setNotFoundHandler((request, reply) => sendProblem(notFound('page'), request, reply));
  await pages.register(swagger, { mode: 'static', specification: { document: document as never } });
  const uiConfig = { docExpansion: 'none', deepLinking: true } as const;
  await pages.register(swaggerUi, { routePrefix: PAGES, staticCSP: CSP, uiConfig });
  await pages.ready();
  return pages.routing;
}
