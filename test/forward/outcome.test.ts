// However a request ends, its outcome is reported once, including whether the upstream may have acted.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { TestUpstream, type UpstreamOptions } from '../support/upstream.js';
import { Relay, type RelayOptions } from './relay.js';

async function start(
  t: Test,
  options: RelayOptions = {},
  upstreamOptions: UpstreamOptions = {},
): Promise<{ upstream: TestUpstream; relay: Relay }> {
  const upstream = await TestUpstream.start(upstreamOptions);
  t.teardown(() => upstream.close());
  return { upstream, relay: await Relay.start(t, upstream.url, options) };
}

function get(fields: Record<string, string | number>, path = '/v3/maps/1'): string {
  return head('GET', fields, path);
}

function head(method: string, fields: Record<string, string | number>, path = '/v3/maps/1'): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: gateway.test\r\n${lines.join('')}\r\n`;
}

const answered = (complete: boolean, clientGone: boolean) => [
  { kind: 'answered', status: 200, complete, clientGone },
];

t.test('the upstream is down: the request is not sent, and the caller writes the response', async (t) => {
  const relay = await Relay.start(t, await closedUrl());
  const client = (await relay.connect(t)).write(get({}));
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-unreachable', cause: Error }]);
  const { status, body } = await client.answer();
  t.same([status, String(body)], [502, 'upstream-unreachable']);
});

t.test('the upstream is down during an upload: the client can still read the response', async (t) => {
  const relay = await Relay.start(t, await closedUrl());
  const client = (await relay.connect(t)).write(head('POST', { 'content-length': 10 })).write('12345');
  t.equal((await client.answer()).status, 502);
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-unreachable' }]);
});

t.test('a connection that is never set up: not sent, in time', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  t.teardown(() => silent.close());
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  // It takes the connection and says nothing, so TLS never begins.
  const relay = await Relay.start(t, `https://127.0.0.1:${port}`, { connectTimeoutMs: 200 });
  const client = (await relay.connect(t)).write(get({}));
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-timeout' }]);
  t.equal((await client.answer()).status, 502);
});

t.test('no connection is free in time: not sent, and it never is', async (t) => {
  const { upstream, relay } = await start(t, { connections: 1, connectTimeoutMs: 200 });
  // It has its head already: not even then may another request be written behind it.
  const first = (await relay.connect(t)).write(get({ 'x-test-hold': 'body' }, '/first'));
  await first.until((received) => received.includes('200 OK'));
  const second = (await relay.connect(t)).write(get({}, '/second'));
  t.equal((await second.answer()).status, 502);
  upstream.release();
  t.equal((await first.answer()).status, 200);
  t.equal((await first.write(get({}, '/third')).answer()).status, 200);
  t.match(await relay.outcomes(3), [
    { kind: 'answered', complete: true },
    { kind: 'not-sent', error: 'upstream-timeout' },
    { kind: 'answered', complete: true },
  ]);
  t.same(
    upstream.log.map((entry) => entry.target),
    ['/first', '/third'],
  );
  t.equal(upstream.connections, 1, 'giving up did not cost the connection');
});

t.test('reset before the head: broken', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get({ 'x-test-reset': 1 }));
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-broken', cause: Error }]);
  t.equal((await client.answer()).status, 502);
  t.equal(upstream.log.length, 1, 'it is not tried again');
});

t.test('silence in place of a head: broken, in time', async (t) => {
  const { upstream, relay } = await start(t, { headersTimeoutMs: 100 });
  const client = (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }));
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-timeout' }]);
  t.equal((await client.answer()).status, 502);
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
});

for (const [framing, fields] of [
  ['a known length', {}],
  ['chunks', { 'x-test-chunked': 1 }],
] as const) {
  t.test(`an answer that breaks off (${framing}) breaks off for the client too`, async (t) => {
    const { relay } = await start(t);
    const client = (await relay.connect(t)).write(
      get({ 'x-test-bytes': 5000, 'x-test-cut': 3000, ...fields }),
    );
    const { status, body, complete } = await client.answer();
    t.same([status, body.length, complete], [200, 3000, false]);
    t.same(await relay.outcomes(1), answered(false, false));
  });
}

t.test('what came before an answer broke off still reaches a client that is slow', async (t) => {
  let written = 0;
  const { relay } = await start(
    t,
    {},
    {
      handler: async (_request, response) => {
        // Until the client's way is full and a piece waits in the gateway: one so small that the gateway reads on.
        while (relay.responses[0]?.writableLength === 0 || written === 0) {
          response.write(Buffer.alloc(8192));
          written += 8192;
          await delay(1);
        }
        response.socket?.destroySoon();
      },
    },
  );
  const client = (await relay.connect(t)).write(get({}));
  client.socket.pause();
  t.same(await relay.outcomes(1), answered(false, false));
  client.socket.resume();
  const { body, complete } = await client.answer();
  t.same([body.length, complete], [written, false]);
});

t.test('an answer that breaks off in a pipeline ends it there', async (t) => {
  const { upstream, relay } = await start(t);
  const client = await relay.connect(t);
  client.write(
    get({ 'x-test-hold': 'head' }, '/1') + get({ 'x-test-bytes': 5000, 'x-test-cut': 3000 }, '/2'),
  );
  t.same(await relay.outcomes(1), answered(false, false));
  upstream.release();
  const first = await client.answer();
  t.same([JSON.parse(String(first.body)).target, first.complete], ['/1', true]);
  const second = await client.answer();
  t.same([second.body.length, second.complete], [3000, false]);
});

t.test('an answer that breaks off is a reset for a client of HTTP/1.0', async (t) => {
  const { relay } = await start(t);
  const client = await relay.connect(t);
  client.write('GET / HTTP/1.0\r\nx-test-chunked: 1\r\nx-test-bytes: 5000\r\nx-test-cut: 3000\r\n\r\n');
  await client.untilClosed();
  t.equal(client.errorCode, 'ECONNRESET');
  t.same(await relay.outcomes(1), answered(false, false));
});

t.test('a pause within a body: the status is kept, the body is incomplete', async (t) => {
  const { upstream, relay } = await start(t, { bodyTimeoutMs: 100 });
  const client = (await relay.connect(t)).write(get({ 'x-test-hold': 'body' }));
  t.equal((await client.answer()).complete, false);
  t.same(await relay.outcomes(1), answered(false, false));
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
});

t.test('the client disconnects before the status: the upstream request is aborted at once', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }));
  await upstream.until(() => upstream.log.length === 1);
  client.destroy();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone' }]);
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
});

t.test('the client disconnects within the body: the upstream request is aborted at once', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get({ 'x-test-bytes': 50_000_000 }));
  await client.until((received) => received.length > 1000);
  client.destroy();
  t.same(await relay.outcomes(1), answered(false, true));
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
  t.ok((upstream.log[0]?.bytesWritten ?? 0) < 50_000_000);
});

t.test('the gateway drops the client within the body: as if it had left', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get({ 'x-test-bytes': 50_000_000 }));
  await client.until((received) => received.length > 1000);
  relay.responses[0]?.destroy();
  t.same(await relay.outcomes(1), answered(false, true));
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
});

t.test('the client leaves within its upload: sent, for the head was', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(head('POST', { 'content-length': 10 })).write('12345');
  await upstream.until(() => upstream.log[0]?.bodyBytes === 5);
  client.destroy();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone' }]);
  await upstream.until(() => upstream.log[0]?.served === 'aborted');
  t.equal(upstream.log[0]?.received, false);
});

t.test('the client leaves before its upload begins: unsent', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(head('POST', { 'content-length': 10 }));
  await once(relay.server, 'request');
  client.destroy();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone-unsent' }]);
  t.equal(upstream.log.length, 0);
});

t.test('the client leaves while all connections are busy: unsent', async (t) => {
  const { upstream, relay } = await start(t, { connections: 1 });
  const first = (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }, '/first'));
  await upstream.until(() => upstream.log.length === 1);
  const second = (await relay.connect(t)).write(get({}, '/second'));
  await once(relay.server, 'request');
  second.destroy();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone-unsent' }]);
  upstream.release();
  await first.answer();
  await first.write(get({}, '/third')).answer();
  t.same(
    upstream.log.map((entry) => entry.target),
    ['/first', '/third'],
  );
});

t.test('a client that has left already: unsent', async (t) => {
  const { upstream, relay } = await start(t, {
    job: async (request) => {
      request.socket.destroy();
      await once(request.socket, 'close');
      return {};
    },
  });
  (await relay.connect(t)).write(get({}));
  t.same(await relay.outcomes(1), [{ kind: 'client-gone-unsent' }]);
  t.equal(upstream.log.length, 0);
});

t.test('garbage behind a request ends the connection, not the charge', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }));
  await upstream.until(() => upstream.log.length === 1);
  client.write('\x00\x01 garbage\r\n\r\n');
  await client.untilClosed();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone' }]);
});

t.test('a malformed upload is the client leaving, not the upstream failing', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(head('POST', { 'transfer-encoding': 'chunked' }));
  client.write('5\r\n12345\r\n');
  await upstream.until(() => upstream.log[0]?.bodyBytes === 5);
  client.write('no length\r\n');
  await client.untilClosed();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone' }]);
});

t.test('every pipelined request has an outcome when the client leaves', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(
    get({ 'x-test-hold': 'head' }, '/1') + get({ 'x-test-bytes': 9_000_000 }, '/2') + get({}, '/3'),
  );
  await upstream.until(() => upstream.log.length === 3 && upstream.log[2]?.served === 'whole');
  client.destroy();
  t.same(await relay.outcomes(3), [
    { kind: 'client-gone' },
    { kind: 'answered', status: 200, complete: false, clientGone: true },
    { kind: 'answered', status: 200, complete: true, clientGone: false },
  ]);
  await upstream.until(() => upstream.log.every((entry) => entry.served !== 'open'));
});

t.test(
  'the upstream resets within an upload: the client can send the rest and read the answer',
  async (t) => {
    const uploads: IncomingMessage[] = [];
    const { upstream, relay } = await start(
      t,
      {},
      {
        handler: (request, response) => {
          if (request.method === 'GET') response.end();
          else uploads.push(request.once('data', () => request.pause()));
        },
      },
    );
    const client = await relay.connect(t);
    client.write(head('POST', { 'content-length': 32_000_000 })).write(Buffer.alloc(16_000_000));
    // The upstream takes no more, so the gateway has stopped to read.
    while (relay.requests[0]?.isPaused() !== true) await delay(10);
    uploads[0]?.socket.resetAndDestroy();
    t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-broken' }]);
    client.write(Buffer.alloc(16_000_000));
    t.equal((await client.answer()).status, 502);
    // Only if every byte of the upload was read does the next request begin where it should.
    t.equal((await client.write(get({})).answer()).status, 200);
    t.same(
      upstream.log.map((entry) => entry.method),
      ['POST', 'GET'],
    );
  },
);

t.test(
  'the upstream responds during an upload: the client can send the rest and reuse the connection',
  async (t) => {
    const { relay } = await start(t);
    const client = await relay.connect(t);
    client.write(head('POST', { 'content-length': 4_000_000, 'x-test-early': 1, 'x-test-status': 413 }));
    client.write('x'.repeat(1_000_000));
    t.equal((await client.answer()).status, 413);
    client.write('x'.repeat(3_000_000));
    t.equal((await client.write(get({})).answer()).status, 200);
    t.match(await relay.outcomes(2), [
      { kind: 'answered', status: 413, complete: true, clientGone: false },
      { kind: 'answered', status: 200, complete: true, clientGone: false },
    ]);
  },
);

t.test('close: what is under way ends well, what comes later is not sent', async (t) => {
  const { upstream, relay } = await start(t);
  const first = (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }));
  await upstream.until(() => upstream.log.length === 1);
  const closing = relay.forwarder.close();
  const second = (await relay.connect(t)).write(get({}));
  t.equal(String((await second.answer()).body), 'shutting-down');
  upstream.release();
  t.equal((await first.answer()).status, 200);
  await closing;
  await relay.forwarder.close();
  t.match(await relay.outcomes(2), [
    { kind: 'answered', complete: true },
    { kind: 'not-sent', error: 'shutting-down' },
  ]);
});

t.test('destroy: requests in flight are cut off and reported', async (t) => {
  const { upstream, relay } = await start(t);
  (await relay.connect(t)).write(get({ 'x-test-hold': 'head' }));
  await upstream.until(() => upstream.log.length === 1);
  await relay.forwarder.destroy();
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'shutting-down' }]);
});

async function closedUrl(): Promise<string> {
  const upstream = await TestUpstream.start();
  const { url } = upstream;
  await upstream.close();
  return url;
}
