/** The server process of `fastify.ts`. Arguments: the upstream and the socket of Redis. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyPluginAsync } from 'fastify';
import { Redis } from 'ioredis';

const [, , upstream = '', socket = ''] = process.argv;

/** Imports a plugin by a name that the compiler does not resolve: the plugins are optional. */
async function plugin(name: string): Promise<FastifyPluginAsync<Record<string, unknown>>> {
  const module: { default: FastifyPluginAsync<Record<string, unknown>> } = await import(name);
  return module.default;
}

const app = Fastify({ keepAliveTimeout: 60_000 });
await app.register(await plugin('@fastify/rate-limit'), {
  redis: new Redis(socket),
  max: 1_000_000_000,
  timeWindow: 30 * 86_400_000,
  keyGenerator: (request: { headers: Record<string, string> }) =>
    `${request.headers['x-quota-org']}:${request.headers['x-quota-user']}`,
});
await app.register(await plugin('@fastify/http-proxy'), {
  upstream,
  undici: { connections: 512, pipelining: 1 },
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.send?.((app.server.address() as AddressInfo).port);
process.on('disconnect', () => process.exit(0));
