// A client that stops is disconnected in time; a client that is slow, or waits for its upstream, is not.
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { figuresOf } from '../e2e/figures.js';
import { comesTo } from '../e2e/load.js';
import { headerOf, RawClient } from '../support/raw.js';
import { type RawSetupClient, rawSetupClient } from '../support/raw-setup.js';
import type { UpstreamOptions } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 1000 } } }';
const ROUTES = `
  - { match: '* /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /rows', action: rows, upstream: up, charges: [{ quota: usage, units: { jsonLength: /rows } }] }
`;
const STALL_MS = 250;
const MIB = 1_048_576;

const CLIENTS = `{ headersMs: ${STALL_MS}, stallMs: ${STALL_MS}, keepAliveMs: ${STALL_MS} }`;
const PARTS = { orgs: ORGS, routes: ROUTES, server: `, drainMs: 0, clients: ${CLIENTS}` };
const start = (t: Test, options: UpstreamOptions = {}) => rawSetupClient(t, PARTS, options);

function request(line: string, ...fields: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'host: a', 'x-quota-org: acme', 'x-quota-user: ana', ...fields, '', ''].join(
    '\r\n',
  );
}

async function charged(t: Test, { gateway }: RawSetupClient, units: number): Promise<void> {
  const lines = units === 0 ? {} : { 'usage:o': units * 10, 'usage:u:ana': units * 10 };
  const figures = { consumed: lines, held: {}, recorded: lines };
  await comesTo(t, () => figuresOf(gateway.app.ledger, 'acme'), figures, `${units} units`);
}

t.test('a head that never ends gets 408, however steadily it trickles', async (t) => {
  const scene = await start(t);
  const { client } = scene;
  for (const letter of request('GET /unit', `x-a: ${'x'.repeat(1_000)}`)) {
    if (client.closed) break;
    client.write(letter);
    await delay(10);
  }
  const { status, rawHeaders } = await client.answer();
  t.same([status, headerOf(rawHeaders, 'quotagate-error')], [408, 'request-timeout']);
  await client.untilClosed();
  t.equal(scene.upstream.log.length, 0);
  await charged(t, scene, 0);
});

t.test('a connection on which nothing comes, at first or again', async (t) => {
  const { client, gateway } = await start(t);
  const silent = await RawClient.connect(Number(gateway.gateway.split(':')[1]));
  t.equal((await client.write(request('GET /unit')).answer()).status, 200);
  t.equal(String(await client.untilClosed()), '');
  await silent.untilClosed();
});

t.test('a body that stops while it is forwarded', async (t) => {
  const scene = await start(t);
  const { upstream, client } = scene;
  client.write(request('POST /unit', 'content-length: 10')).write('12345');
  await upstream.until(({ log }) => log[0]?.bodyBytes === 5);
  await client.untilClosed();
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  await charged(t, scene, 1);
});

t.test('a body that stops where it is needed for the price', async (t) => {
  const scene = await start(t);
  scene.client.write(request('POST /rows', 'content-length: 10')).write('{"rows"');
  await scene.client.untilClosed();
  t.equal(scene.upstream.log.length, 0);
  await charged(t, scene, 0);
});

t.test('an answer that is not taken', async (t) => {
  const scene = await start(t);
  const { upstream, client } = scene;
  client.socket.pause();
  client.write(request('GET /unit', `x-test-bytes: ${64 * MIB}`));
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  t.ok((upstream.log[0]?.bytesWritten ?? 0) < 64 * MIB);
  await charged(t, scene, 1);
});

t.test('an answer that is taken slowly', async (t) => {
  const { client } = await start(t);
  client.write(request('GET /unit', `x-test-bytes: ${32 * MIB}`));
  for (let taken = 2 * MIB; taken <= 24 * MIB; taken += 2 * MIB) {
    client.socket.resume();
    await client.untilLength(taken);
    client.socket.pause();
    await delay(STALL_MS / 2);
  }
  client.socket.resume();
  const { body, complete } = await client.answer();
  t.same([body.length, complete], [32 * MIB, true]);
});

t.test('a body that comes slowly', async (t) => {
  const { client, upstream } = await start(t);
  client.write(request('POST /unit', 'content-length: 6'));
  for (const letter of 'abcdef') {
    client.write(letter);
    await delay(STALL_MS / 2);
  }
  t.equal((await client.answer()).status, 200);
  t.equal(upstream.log[0]?.body, 'abcdef');
});

t.test('an upstream that takes its time, to answer and within the answer', async (t) => {
  const { client, upstream } = await start(t);
  client.write(request('GET /unit', `x-test-delay-ms: ${STALL_MS * 3}`, 'x-test-hold: body'));
  await client.until((received) => received.includes('\r\n\r\n'));
  await delay(STALL_MS * 3);
  upstream.release();
  t.equal((await client.answer()).complete, true);
});

t.test('an upstream that does not take the body, and a client that would send it', async (t) => {
  let read = (): void => {};
  const mayRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  const scene = await start(t, {
    handler: async (incoming, response) => {
      await mayRead;
      let bytes = 0;
      for await (const chunk of incoming) bytes += chunk.length;
      response.end(String(bytes));
    },
  });
  const { client } = scene;
  client.write(request('POST /unit', `content-length: ${32 * MIB}`)).write(Buffer.alloc(32 * MIB));
  await delay(STALL_MS * 3);
  t.notOk(client.closed);
  read();
  t.equal(String((await client.answer()).body), String(32 * MIB));
  await charged(t, scene, 1);
});

t.test('a client that stops only after its upstream has made it wait', async (t) => {
  let read = (): void => {};
  const mayRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  const scene = await start(t, {
    handler: async (incoming) => {
      await mayRead;
      incoming.resume();
    },
  });
  const { client } = scene;
  client.write(request('POST /unit', `content-length: ${33 * MIB}`)).write(Buffer.alloc(32 * MIB));
  await delay(STALL_MS * 2);
  read();
  await client.untilClosed();
  await charged(t, scene, 1);
});
