// A request is retried only if no connection could be made, at most as often as configured, and never once it may have
// been sent.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { selfSigned } from '../support/certificate.js';
import { TestUpstream } from '../support/upstream.js';
import { Relay, type RelayOptions } from './relay.js';

const certificate = await selfSigned('localhost');

interface Scene {
  readonly upstream: TestUpstream;
  readonly relay: Relay;
  /** Connections that came, those that were reset too. */
  readonly tries: () => number;
}

/** An upstream whose first connections are reset while they are set up: TLS never begins on them. */
async function start(t: Test, resets: number, options: RelayOptions): Promise<Scene> {
  const upstream = await TestUpstream.start({ tls: certificate });
  let tries = 0;
  const door = createServer((socket) => {
    tries += 1;
    socket.on('error', () => {});
    if (tries <= resets) {
      socket.once('data', () => socket.resetAndDestroy());
      return;
    }
    const inner = connect(upstream.port, '127.0.0.1');
    inner.on('error', () => {});
    socket.pipe(inner).pipe(socket);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  t.teardown(async () => {
    await upstream.close();
    door.close();
  });
  const url = `https://localhost:${(door.address() as AddressInfo).port}`;
  const relay = await Relay.start(t, url, { ca: certificate.cert, ...options });
  return { upstream, relay, tries: () => tries };
}

const POST = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

t.test('tried again: the whole request arrives once, its body too', async (t) => {
  const { upstream, relay, tries } = await start(t, 2, { retries: 2 });
  const client = (await relay.connect(t)).write(`${POST}01234`);
  while (tries() < 3) await new Promise((resolve) => setImmediate(resolve));
  t.equal((await client.write('56789').answer()).status, 200);
  t.match(await relay.outcomes(1), [{ kind: 'answered', status: 200, complete: true }]);
  t.same(
    upstream.log.map((entry) => [entry.target, entry.body]),
    [['/1', '0123456789']],
  );
});

for (const [retries, resets] of [
  [0, 1],
  [1, 2],
  [3, 4],
] as const) {
  t.test(`${retries} retries, ${resets} resets: not sent`, async (t) => {
    const { upstream, relay, tries } = await start(t, resets, { retries });
    const client = (await relay.connect(t)).write(`${POST}0123456789`);
    t.match(await relay.outcomes(1), [
      { kind: 'not-sent', error: 'upstream-unreachable', cause: { code: 'ECONNRESET' } },
    ]);
    t.equal((await client.answer()).status, 502);
    t.same([tries(), upstream.log.length], [retries + 1, 0]);
    t.equal((await client.write(`${POST}0123456789`).answer()).status, 200, 'the next one comes through');
  });
}

t.test('a certificate that is not trusted is not asked for again', async (t) => {
  const { relay, tries } = await start(t, 0, { retries: 3, ca: (await selfSigned('localhost')).cert });
  (await relay.connect(t)).write(`${POST}0123456789`);
  t.match(await relay.outcomes(1), [{ kind: 'not-sent', error: 'upstream-unreachable' }]);
  t.equal(tries(), 1);
});

t.test('what was sent is not sent again', async (t) => {
  const { upstream, relay } = await start(t, 0, { retries: 3 });
  const client = await relay.connect(t);
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\nx-test-hold: head\r\n\r\n');
  await upstream.until(({ log }) => log.length === 1);
  upstream.dropConnections();
  t.match(await relay.outcomes(1), [{ kind: 'broken', error: 'upstream-broken' }]);
  t.equal(upstream.log.length, 1);
});

t.test('a client that leaves between two tries ends them', async (t) => {
  const { upstream, relay, tries } = await start(t, 1_000_000, { retries: 1_000_000 });
  const client = (await relay.connect(t)).write(`${POST}0123456789`);
  while (tries() < 3) await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  t.same(await relay.outcomes(1), [{ kind: 'client-gone-unsent' }]);
  t.equal(upstream.log.length, 0);
});
