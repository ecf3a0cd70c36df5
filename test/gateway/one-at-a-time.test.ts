// One request at a time per connection: later requests wait for the response, and are not forwarded if none can follow.
import t, { type Test } from 'tap';
import { figuresOf } from '../e2e/figures.js';
import { comesTo } from '../e2e/load.js';
import { headerOf } from '../support/raw.js';
import { type RawSetup, rawSetup } from '../support/raw-setup.js';
import type { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 1000 } } }';
const ROUTES = `
  - { match: '* /unit/*', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
`;

function request(line: string, ...fields: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'host: a', 'x-quota-org: acme', 'x-quota-user: ana', ...fields, '', ''].join(
    '\r\n',
  );
}

const get = (name: string, ...fields: readonly string[]): string => request(`GET /unit/${name}`, ...fields);
const HELD = 'x-test-hold: head';

const start = (t: Test) => rawSetup(t, { orgs: ORGS, routes: ROUTES });

const targets = ({ log }: TestUpstream): string[] => log.map(({ target }) => target);

/** Charged in all: so many units. */
async function charged(t: Test, { gateway }: RawSetup, units: number): Promise<void> {
  const lines = units === 0 ? {} : { 'usage:o': units * 10, 'usage:u:ana': units * 10 };
  const figures = { consumed: lines, held: {}, recorded: lines };
  await comesTo(t, () => figuresOf(gateway.app.ledger, 'acme'), figures, `${units} units`);
}

t.test('requests that are sent ahead are sent on one after the other', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client.write(get('1', HELD) + get('2', HELD) + get('3'));
  for (const name of ['1', '2']) {
    await upstream.until(
      ({ log }) => log.at(-1)?.target === `/unit/${name}` && log.at(-1)?.received === true,
    );
    // Whatever was about to happen in this process has happened.
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(targets(upstream).at(-1), `/unit/${name}`);
    upstream.release();
    t.equal(JSON.parse(String((await client.answer()).body)).target, `/unit/${name}`);
  }
  t.equal((await client.answer()).status, 200);
  t.same(targets(upstream), ['/unit/1', '/unit/2', '/unit/3']);
  await charged(t, scene, 3);
});

t.test('where the client leaves, what waits is neither sent nor charged', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client.write(get('1', HELD) + get('2') + get('3'));
  await upstream.until(({ log }) => log[0]?.received === true);
  client.destroy();
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  await charged(t, scene, 1);
  t.same(targets(upstream), ['/unit/1']);
});

t.test('an answer that ends the connection is the last, whenever the rest comes', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client.write(get('1', HELD, 'connection: close'));
  await upstream.until(({ log }) => log[0]?.received === true);
  client.write(get('2')).write(get('3'));
  await new Promise((resolve) => setImmediate(resolve));
  upstream.release();
  const { status, rawHeaders } = await client.answer();
  t.same([status, headerOf(rawHeaders, 'connection')], [200, 'close']);
  t.equal(String(await client.untilClosed()), '');
  await charged(t, scene, 1);
  t.same(targets(upstream), ['/unit/1']);
});

t.test('garbage behind a request spoils nothing but the connection', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client.write(get('1', HELD));
  await upstream.until(({ log }) => log[0]?.received === true);
  for (let count = 0; count < 3; count++) {
    client.write('\0garbage\r\n\r\n');
    await new Promise((resolve) => setImmediate(resolve));
  }
  upstream.release();
  t.equal((await client.answer()).status, 200);
  t.equal(String(await client.untilClosed()), '');
  await charged(t, scene, 1);
});

t.test('a body that breaks while it is sent on: it was sent, and is paid', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client.write(request('POST /unit/1', 'transfer-encoding: chunked')).write('5\r\nhello\r\n');
  await upstream.until(({ log }) => log[0]?.bodyBytes === 5);
  client.write(`no size\r\n${get('2')}`);
  t.equal(headerOf((await client.answer()).rawHeaders, 'quotagate-error'), 'request-malformed');
  t.equal(String(await client.untilClosed()), '');
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  t.equal(upstream.log[0]?.received, false);
  await charged(t, scene, 1);
});

t.test('a body that breaks while it is answered: the answer has no end', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const client = await scene.connect();
  client
    .write(request('POST /unit/1', 'transfer-encoding: chunked', 'x-test-echo: 1'))
    .write('5\r\nhello\r\n');
  await client.until((received) => received.includes('hello'));
  client.write('no size\r\n');
  t.equal((await client.answer('POST')).complete, false);
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  await charged(t, scene, 1);
});

t.test('a client that pipelines hundreds of requests is disconnected', async (t) => {
  const scene = await start(t);
  const { upstream } = scene;
  const modest = await scene.connect();
  modest.write(get('1').repeat(100));
  for (let count = 0; count < 100; count++) t.equal((await modest.answer()).status, 200);
  const client = await scene.connect();
  client.write(get('held', HELD) + get('ahead').repeat(300));
  await client.untilClosed();
  await upstream.until(({ log }) => log.every(({ served }) => served !== 'open'));
  t.ok(
    targets(upstream).filter((target) => target !== '/unit/1').length <= 1,
    'of them, one was sent at most',
  );
});
