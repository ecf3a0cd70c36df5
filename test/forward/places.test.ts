// An upstream may listen on a Unix socket, and does not see the path prefix that only the gateway uses.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createForwarder } from '../../src/forward/forwarder.js';
import { as, ask, startGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';
import { Relay } from './relay.js';

t.test('a socket in the file system', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-socket-'));
  const path = join(folder, 'a b.sock');
  const received: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    received.push({ url: request.url, headers: request.headers });
    response.end('from the socket');
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const relay = await Relay.start(t, `unix://${path.replace(' ', '%20')}`);
  const client = await relay.connect(t);
  for (let count = 0; count < 2; count++) {
    const { status, body } = await client.write('GET /1?a=b HTTP/1.1\r\nHost: gateway.test\r\n\r\n').answer();
    t.same([status, String(body)], [200, 'from the socket']);
  }
  t.match(received, [
    { url: '/1?a=b', headers: { host: 'localhost', 'x-forwarded-host': 'gateway.test' } },
    { url: '/1?a=b' },
  ]);
});

t.test('a socket that is not there: not sent', async (t) => {
  const relay = await Relay.start(t, 'unix:///nowhere/at/all.sock', { retries: 1 });
  (await relay.connect(t)).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-unreachable' }]);
});

t.test('what is no place is refused', async (t) => {
  const times = { connectTimeoutMs: 1, headersTimeoutMs: 1, bodyTimeoutMs: 1, connections: 1 };
  for (const url of [
    'unix://host/path',
    'unix:///',
    'unix:///a?b',
    'ftp://host',
    'http://user@host',
    'http://host/?a',
  ])
    t.throws(() => createForwarder({ url, ...times }), /is not an upstream/, url);
});

t.test('a prefix is left out of what the upstream gets, and of nothing else', async (t) => {
  const upstream = await TestUpstream.start();
  const charges = '[{ quota: usage, units: 1 }]';
  const gateway = await startGateway({
    upstream: upstream.url,
    orgs: '  acme: { plans: { usage: { allowance: 100 } } }',
    routes: `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, stripPrefix: /v3/maps, charges: ${charges} }
  - { match: 'GET /v3', action: root, upstream: up, stripPrefix: /v3, charges: ${charges} }
  - { match: 'GET /v3/free/:id', identity: none, upstream: up, stripPrefix: /v3 }
  - { match: 'GET /v3/*', action: rest, upstream: up, charges: ${charges} }
`,
  });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  for (const [path, target] of [
    ['/v3/maps/4/8', '/4/8'],
    ['/v3/maps/', '/'],
    ['/v3/maps/v3/maps/1?q=/v3/maps/2', '/v3/maps/1?q=/v3/maps/2'],
    ['/v3', '/'],
    ['/v3?a=b', '/?a=b'],
    ['/v3/free/1', '/free/1'],
    ['/v3/maps', '/v3/maps'],
    ['/v3/mapsandmore', '/v3/mapsandmore'],
  ] as const) {
    t.equal((await ask(gateway.gateway, path, { headers: as('ana') })).status, 200);
    t.equal(upstream.log.at(-1)?.target, target, path);
  }
});
