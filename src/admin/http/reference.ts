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

export async function serveReference(app: FastifyInstance, document: OpenApi): Promise<void> {
  const text = JSON.stringify(document);
  app.get('/openapi.json', (_request, reply) => {
    reply.type('application/json').send(text);
  });
  await app.register(swagger, {
    mode: 'static',
    specification: { document: document as never },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CSP,
    uiConfig: { docExpansion: 'none', deepLinking: true },
  });
}
