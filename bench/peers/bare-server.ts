/** The server process of `bare.ts`: a proxy of Fastify and undici that checks nothing. Argument: the upstream. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { Pool } from 'undici';

const [, , upstream = ''] = process.argv;
const pool = new Pool(upstream, { connections: 512, pipelining: 1 });

const app = Fastify({ keepAliveTimeout: 60_000 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
app.all('/*', async (request, reply) => {
  const { connection: _, host: __, ...headers } = request.headers;
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const answer = await pool.request({
    path: request.raw.url ?? '/',
    method: request.method as 'GET',
    headers,
    body: hasBody ? request.raw : null,
  });
  const { connection: ___, 'keep-alive': ____, 'transfer-encoding': _____, ...kept } = answer.headers;
  return reply.code(answer.statusCode).headers(kept).send(answer.body);
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.send?.((app.server.address() as AddressInfo).port);
process.on('disconnect', () => process.exit(0));
