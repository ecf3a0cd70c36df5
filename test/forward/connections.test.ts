// Connections to client and upstream are reused in order, and the certificate identifies the upstream.
import { setImmediate } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { selfSigned } from '../support/certificate.js';
import { TestUpstream } from '../support/upstream.js';
import { Relay } from './relay.js';

const certificate = await selfSigned('localhost');
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n`;

t.test('requests one after the other use one connection on either side', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  const client = await relay.connect(t);
  for (let number = 1; number <= 20; number++) {
    const { status, body } = await client.write(get(`/${number}`)).answer();
    t.same([status, JSON.parse(String(body)).target], [200, `/${number}`]);
  }
  t.equal(upstream.connections, 1);
});

t.test('a pipeline is answered in its order, whatever order the upstream answers in', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  const client = await relay.connect(t);
  const targets = Array.from({ length: 12 }, (_, index) => `/${index}`);
  const held = 'GET /held HTTP/1.1\r\nHost: a\r\nx-test-hold: head\r\n\r\n';
  client.write(held + targets.map(get).join(''));
  await upstream.until(
    () => upstream.log.filter((entry) => entry.served === 'whole').length === targets.length,
  );
  upstream.release();
  for (const target of ['/held', ...targets])
    t.equal(JSON.parse(String((await client.answer()).body)).target, target);
  const outcomes = await relay.outcomes(13);
  t.ok(outcomes.every((outcome) => outcome.kind === 'answered' && outcome.complete));
});

t.test('a connection that stays keeps nothing of the requests that are over', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  const client = await relay.connect(t);
  for (let number = 1; number <= 20; number++) await client.write(get('/')).answer();
  const kept = relay.responses.map((response) => new WeakRef(response));
  relay.forget();
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  // A weak reference holds on until the turn in which it was made is over.
  await setImmediate();
  collect();
  const alive = kept.filter((reference) => reference.deref() !== undefined).length;
  t.ok(alive <= 2, `${alive} of ${kept.length} responses are still held`);
});

t.test('many clients share the connections that are allowed', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url, { connections: 3 });
  const clients = await Promise.all(Array.from({ length: 30 }, () => relay.connect(t)));
  const answers = await Promise.all(clients.map((client, index) => client.write(get(`/${index}`)).answer()));
  t.ok(answers.every(({ status, complete }) => status === 200 && complete));
  t.ok(upstream.connections <= 3, `${upstream.connections} connections`);
});

t.test('an upstream that dropped its idle connections is called on a new one', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  const client = await relay.connect(t);
  t.equal((await client.write(get('/1')).answer()).status, 200);
  upstream.dropConnections();
  await upstream.until(() => upstream.open === 0);
  t.equal((await client.write(get('/2')).answer()).status, 200);
  t.equal(upstream.connections, 2);
});

t.test('an upstream without a certificate that is trusted gets nothing', async (t) => {
  const upstream = await TestUpstream.start({ tls: certificate });
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  const client = (await relay.connect(t)).write(get('/'));
  t.match(await relay.outcomes(1), [
    { kind: 'not-sent', error: 'upstream-unreachable', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } },
  ]);
  t.equal((await client.answer()).status, 502);
  t.equal(upstream.log.length, 0);
});

t.test('an upstream under another name than its certificate gets nothing', async (t) => {
  const upstream = await TestUpstream.start({ tls: certificate });
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url.replace('localhost', '127.0.0.1'), {
    ca: certificate.cert,
  });
  (await relay.connect(t)).write(get('/'));
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }]);
  t.equal(upstream.log.length, 0);
});

t.test('an upstream whose authority is trusted is served over TLS', async (t) => {
  const upstream = await TestUpstream.start({ tls: certificate });
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url, { ca: certificate.cert });
  const client = await relay.connect(t);
  t.equal((await client.write(get('/1')).answer()).status, 200);
  t.equal((await client.write(get('/2')).answer()).status, 200);
  t.equal(upstream.connections, 1);
});

t.test('a client over TLS: the upstream sees https, and an answer that breaks off has no end', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url, { certificate });
  for (const [version, framing] of [
    ['1.1', 'x-test-bytes: 5000'],
    ['1.0', 'x-test-chunked: 1'],
  ]) {
    const client = connectSecurely({
      port: relay.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: certificate.cert,
    });
    client.on('error', () => {});
    let text = '';
    client.on('data', (chunk) => {
      text += chunk;
    });
    client.write(`GET / HTTP/${version}\r\nHost: a\r\n${framing}\r\nx-test-cut: 30\r\n\r\n`);
    await new Promise((resolve) => client.once('close', resolve));
    t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    t.notMatch(text, /\r\n0\r\n\r\n$/);
  }
  t.equal(upstream.log[0]?.headers['x-forwarded-proto'], 'https');
  t.match(await relay.outcomes(2), [
    { kind: 'answered', complete: false, clientGone: false },
    { kind: 'answered', complete: false, clientGone: false },
  ]);
});

t.test('what the caller throws is not swallowed', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, upstream.url);
  relay.onTold = () => {
    throw new Error('thrown by done');
  };
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  t.teardown(() => {
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  const thrown = new Promise<Error>((resolve) => process.once('uncaughtException', resolve));
  const client = (await relay.connect(t)).write(get('/'));
  t.equal((await client.answer()).status, 200);
  t.match(await thrown, { message: 'thrown by done' });
});
