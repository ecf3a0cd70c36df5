// A closing gateway completes open responses, accepts nothing more, and does not wait for idle clients.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Connections } from '../../src/gateway/connections.js';
import { startGateway } from '../support/gateway.js';
import { headerOf, RawClient } from '../support/raw.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 100 } } }';

function requestOf(...fields: readonly string[]): string {
  const lines = ['GET /v3/unit HTTP/1.1', 'host: a', 'x-quota-org: acme', 'x-quota-user: ana', ...fields];
  return [...lines, '', ''].join('\r\n');
}

t.test('an answer that is handed over and not yet sent is not cut off', async (t) => {
  const bytes = 32 * 1_048_576;
  const connections = new Connections();
  const server = createServer((_request, response) => {
    connections.take(response, () => response.end(Buffer.alloc(bytes)));
  });
  connections.watch(server, 60_000);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  client.socket.pause();
  client.write(requestOf());
  await once(server, 'request');
  connections.close();
  const closed = once(server.close(), 'close');
  client.socket.resume();
  const { body, complete } = await client.answer();
  t.equal(body.length, bytes);
  t.ok(complete);
  await closed;
});

t.test('what is under way ends, with its connection; what comes behind it is refused', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(() => upstream.close());
  const port = Number(gateway.gateway.split(':')[1]);
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
  const [waiting, streaming, idle] = clients;
  if (waiting === undefined || streaming === undefined || idle === undefined) throw new Error('no client');
  t.equal((await idle.write(requestOf()).answer()).status, 200);
  waiting.write(requestOf('x-test-hold: head'));
  streaming.write(requestOf('x-test-hold: body'));
  await streaming.until((received) => received.includes('\r\n\r\n'));
  await upstream.until(({ log }) => log.length === 3 && log.every(({ received }) => received));

  const closed = gateway.close();
  await idle.untilClosed();
  t.equal(idle.errorCode, '', 'a connection that is idle ends at once');
  streaming.write(requestOf());
  // All is in this process: in the next turn of its loop the gateway reads what was written in this one.
  await new Promise((resolve) => setImmediate(resolve));
  upstream.release();
  const late = await waiting.answer();
  t.equal(late.status, 200);
  t.equal(headerOf(late.rawHeaders, 'connection'), 'close');
  t.equal((await streaming.answer()).status, 200);
  const refused = await streaming.answer();
  t.equal(refused.status, 503);
  t.match(JSON.parse(refused.body.toString()), { code: 'shutting-down' });
  await Promise.all([waiting.untilClosed(), streaming.untilClosed(), closed]);
  t.equal(upstream.log.length, 3, 'it was not sent');
});

t.test('a client that keeps its connection after the last answer does not hold it up', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(() => upstream.close());
  const client = await RawClient.connect(Number(gateway.gateway.split(':')[1]));
  client.write(requestOf('x-test-hold: body'));
  await client.until((received) => received.includes('\r\n\r\n'));
  const closed = gateway.close();
  upstream.release();
  t.equal((await client.answer()).complete, true);
  await client.untilClosed();
  await closed;
});
