// A refusal reaches a client that is still sending: the rest is read and dropped, within bounds, before the connection ends.
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Connections } from '../../src/gateway/connections.js';
import type { LingerBounds } from '../../src/gateway/linger.js';
import { type RunningGateway, startGateway } from '../support/gateway.js';
import { headerOf, RawClient } from '../support/raw.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 10 } } }';
const ROUTES = `
  - { match: 'POST /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /dear', action: dear, upstream: up, charges: [{ quota: usage, units: 100 }] }
  - { match: 'POST /rows', action: rows, upstream: up, charges: [{ quota: usage, units: { jsonLength: /rows } }] }
`;
const ANA = ['x-quota-org: acme', 'x-quota-user: ana'];
const BODY = Buffer.alloc(10_000_000, 'x');

async function start(t: Test): Promise<{ gateway: RunningGateway; upstream: TestUpstream; port: number }> {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS, routes: ROUTES });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  return { gateway, upstream, port: Number(gateway.gateway.split(':')[1]) };
}

const head = (path: string, ...fields: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: a', ...fields, '', ''].join('\r\n');
const LENGTH = `content-length: ${BODY.length}`;
const CHUNK = Buffer.concat([
  Buffer.from(`${BODY.length.toString(16)}\r\n`),
  BODY,
  Buffer.from('\r\n0\r\n\r\n'),
]);

const REFUSED = [
  ['quota-exceeded', 429, head('/dear', ...ANA, LENGTH), BODY],
  ['quota-exceeded', 429, head('/dear', ...ANA, 'transfer-encoding: chunked'), CHUNK],
  ['identity-missing', 401, head('/unit', LENGTH), BODY],
  ['body-too-large', 413, head('/rows', ...ANA, LENGTH), BODY],
  ['body-too-large', 413, head('/rows', ...ANA, 'transfer-encoding: chunked'), CHUNK],
  ['route-unknown', 404, head('/nowhere', ...ANA, LENGTH), BODY],
  ['request-malformed', 400, head('/unit', ...ANA, LENGTH, 'host: b'), BODY],
  ['request-malformed', 400, 'no request at all\r\n\r\n', BODY],
  ['headers-too-large', 431, head('/unit', ...ANA, `x-a: ${'x'.repeat(40_000)}`), BODY],
] as const;

t.test('a client that sends all before it reads gets the refusal', async (t) => {
  const { port, upstream } = await start(t);
  for (const [code, status, first, body] of REFUSED) {
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.write(first);
    // What stands behind the body is never handled.
    await new Promise((resolve) => client.socket.write(body, resolve));
    client.write(head('/unit', ...ANA, 'content-length: 0'));
    await delay(20);
    client.socket.resume();
    const answer = await client.answer();
    t.same([answer.status, headerOf(answer.rawHeaders, 'quotagate-error')], [status, code], code);
    t.equal(headerOf(answer.rawHeaders, 'connection'), 'close');
    t.equal(String(await client.untilClosed()), '', 'nothing more comes');
    t.equal(client.errorCode, '', `${code}: an orderly end`);
  }
  t.equal(upstream.log.length, 0);
});

const PYTHON = `
import sys, urllib.request, urllib.error
seen = []
for path, identity in (('/dear', True), ('/unit', False), ('/rows', True)) * 20:
    fields = {'content-type': 'application/json'}
    if identity: fields.update({'x-quota-org': 'acme', 'x-quota-user': 'ana'})
    request = urllib.request.Request(sys.argv[1] + path, data=b'x' * 10000000, headers=fields)
    try: urllib.request.urlopen(request); seen.append('served')
    except urllib.error.HTTPError as error: seen.append(str(error.code)); error.read()
    except Exception as error: seen.append(repr(error))
print(' '.join(seen))
`;

/** With CI=true a missing part is a failure. */
const hasPython = process.env.CI === 'true' || spawnSync('python3', ['--version']).error === undefined;

t.test('60 of 60, with urllib', { skip: hasPython ? false : 'python3 is not installed' }, async (t) => {
  const { gateway } = await start(t);
  const { stdout } = await promisify(execFile)('python3', ['-c', PYTHON, `http://${gateway.gateway}`]);
  t.equal(stdout.trim(), Array(20).fill('429 401 413').join(' '));
});

interface Refusing {
  readonly client: RawClient;
  readonly connections: Connections;
  /** The server has closed the connection. */
  readonly ended: Promise<unknown>;
}

/** A server that refuses every request without reading its body. */
async function refusing(t: Test, bounds: LingerBounds): Promise<Refusing> {
  const connections = new Connections(bounds);
  const server = createServer((_request, response) =>
    connections.take(response, () =>
      response.writeHead(429, ['Content-Length', '0', 'Connection', 'close']).end(),
    ),
  );
  connections.watch(server, 60_000);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const ended = once(server, 'connection').then(([socket]) => once(socket, 'close'));
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  t.teardown(() => client.destroy());
  // Its own side stays open.
  client.socket.allowHalfOpen = true;
  client.write(head('/', 'content-length: 1000000000'));
  await client.answer();
  return { client, connections, ended };
}

const WIDE: LingerBounds = { bytes: 1_000_000_000, idleMs: 60_000, totalMs: 60_000 };

/** Sends a piece every few ms until the connection ends: how much that was. */
async function sendOn(client: RawClient, piece = 1_000): Promise<number> {
  let sent = 0;
  while (!client.closed) {
    client.write(Buffer.alloc(piece));
    sent += piece;
    await delay(5);
  }
  return sent;
}

t.test('silence ends it', async (t) => {
  const { ended } = await refusing(t, { ...WIDE, idleMs: 100 });
  await ended;
});

t.test('time ends it, however steadily bytes come', async (t) => {
  const { client } = await refusing(t, { ...WIDE, idleMs: 80, totalMs: 300 });
  t.ok((await sendOn(client)) > 10_000);
});

t.test('bytes end it, however fast they come', async (t) => {
  const { client } = await refusing(t, { ...WIDE, bytes: 1_000_000, idleMs: 80 });
  t.ok((await sendOn(client, 100_000)) >= 1_000_000);
});

t.test('a gateway that closes shortens it', async (t) => {
  const { client, connections, ended } = await refusing(t, { ...WIDE, idleMs: 100 });
  setTimeout(() => connections.close(), 50);
  await sendOn(client);
  await ended;
});
