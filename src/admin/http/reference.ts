/** Serves the OpenAPI document and a page to browse it, without a token: both are the same in every installation. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { OpenApi } from './openapi.js';

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

/** `document` is made at the first request for it. */
export async function serveReference(app: FastifyInstance, document: () => OpenApi): Promise<void> {
  let text: string | undefined;
  app.get('/openapi.json', (_request, reply) => {
    text ??= JSON.stringify(document());
    reply.type('application/json').send(text);
  });
  // The page asks for the document by itself, so the plugin gets none.
  await app.register(swagger, { mode: 'static', specification: { document: {} as never } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CSP,
    transformSpecification: () => document() as never,
    transformSpecificationClone: false,
    uiConfig: { docExpansion: 'none', deepLinking: true },
  });
}
