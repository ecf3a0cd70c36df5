/** Endpoints whose body is a stream of rows: the handler reads it while it arrives, so its size is bounded there. */
import type { RouteOptions } from 'fastify';
import type { Admin, App } from '../admin.js';
import type { Endpoint } from './endpoint.js';
import { registerEndpoint } from './register.js';

const MEDIA_TYPES = ['application/json', 'text/csv'];

export function registerRowEndpoints(v1: App, admin: Admin, endpoints: readonly Endpoint[]): void {
  v1.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(MEDIA_TYPES, (_request, body, done) => done(null, body));
    scope.addHook('onRoute', (route: RouteOptions) => {
      route.bodyLimit = Number.MAX_SAFE_INTEGER;
    });
    for (const endpoint of endpoints) registerEndpoint(scope, admin, endpoint);
  });
}
