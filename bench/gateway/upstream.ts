/** The upstream of the gateway bench, a separate process: a small JSON response, as fast as Node can send it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const BODY = Buffer.from(JSON.stringify({ tile: [4, 8, 5], features: 12, bounds: [-3.7, 40.4, -3.6, 40.5] }));
const HEADERS = ['Content-Type', 'application/json', 'Content-Length', String(BODY.length)];

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  response.writeHead(200, HEADERS).end(BODY);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
