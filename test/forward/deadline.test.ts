// A total timeout ends a request in any phase, and reports its outcome.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { TestUpstream } from '../support/upstream.js';
import { Relay, type RelayOptions } from './relay.js';

const TOTAL_MS = 200;

async function start(t: Test, options: RelayOptions = {}): Promise<{ upstream: TestUpstream; relay: Relay }> {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  return { upstream, relay: await Relay.start(t, upstream.url, { totalTimeoutMs: TOTAL_MS, ...options }) };
}

const get = (path: string, ...fields: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');

t.test('before the head: broken', async (t) => {
  const { upstream, relay } = await start(t);
  const client = (await relay.connect(t)).write(get('/', 'x-test-hold: head'));
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-timeout' }]);
  t.equal((await client.answer()).status, 502);
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
});

t.test(
  'the timeout ends a body that still arrives: the status is kept, the body is incomplete',
  async (t) => {
    const upstream = await TestUpstream.start({
      handler: (_request, response) => {
        const timer = setInterval(() => response.write('more'), 10);
        response.on('close', () => clearInterval(timer));
      },
    });
    t.teardown(() => upstream.close());
    const relay = await Relay.start(t, upstream.url, { totalTimeoutMs: TOTAL_MS });
    const { complete, body } = await (await relay.connect(t)).write(get('/')).answer();
    t.notOk(complete);
    t.match(String(body), /^(more)+$/);
    t.same(await relay.outcomes(1), [{ kind: 'answered', status: 200, complete: false, clientGone: false }]);
    await upstream.until(({ log }) => log[0]?.served === 'aborted');
  },
);

t.test('before there is a connection: not sent', async (t) => {
  const silent = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  // It takes the connection and says nothing, so TLS never begins.
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const relay = await Relay.start(t, url, { totalTimeoutMs: TOTAL_MS, connectTimeoutMs: 2_000, retries: 3 });
  const client = (await relay.connect(t)).write(get('/'));
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-timeout' }]);
  t.equal((await client.answer()).status, 502);
});

t.test('an upload of which nothing has come: not sent', async (t) => {
  const { relay } = await start(t);
  const client = await relay.connect(t);
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-timeout' }]);
  t.equal((await client.answer()).status, 502);
  t.equal((await client.write(`hello${get('/')}`).answer()).status, 200, 'and the connection goes on');
});

t.test('within the upload: broken', async (t) => {
  const { upstream, relay } = await start(t);
  const client = await relay.connect(t);
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel');
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-timeout' }]);
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
});

t.test('an exchange that ends in time is not affected', async (t) => {
  const { relay } = await start(t);
  const client = await relay.connect(t);
  const began = performance.now();
  while (performance.now() - began < 2 * TOTAL_MS)
    t.equal((await client.write(get('/')).answer()).status, 200);
  t.ok((await relay.outcomes(1)).every((outcome) => outcome.kind === 'answered' && outcome.complete));
});
