// A client that ends its side after its request gets its response; a client that has disconnected is still noticed.
import t, { type Test } from 'tap';
import { figuresOf } from '../e2e/figures.js';
import { comesTo } from '../e2e/load.js';
import { type RawSetupClient, rawSetupClient } from '../support/raw-setup.js';

const ROUTES = `
  - { match: '* /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
`;
const IDENTITY = ['host: a', 'x-quota-org: acme', 'x-quota-user: ana'];
const request = (line: string, ...fields: readonly string[]): string =>
  [line, ...IDENTITY, ...fields, '', ''].join('\r\n');

const start = (t: Test) =>
  rawSetupClient(t, { orgs: '  acme: { plans: { usage: { allowance: 10 } } }', routes: ROUTES });

async function charged(t: Test, { gateway }: RawSetupClient, units: number): Promise<void> {
  const lines = units === 0 ? {} : { 'usage:o': units * 10, 'usage:u:ana': units * 10 };
  const figures = { consumed: lines, held: {}, recorded: lines };
  await comesTo(t, () => figuresOf(gateway.app.ledger, 'acme'), figures, `${units} units`);
}

for (const [title, bytes, answers] of [
  ['a GET', request('GET /unit HTTP/1.1'), 1],
  ['HTTP/1.0', request('GET /unit HTTP/1.0'), 1],
  ['a POST', `${request('POST /unit HTTP/1.1', 'content-length: 5')}hello`, 1],
  ['an answer that takes a while', request('GET /unit HTTP/1.1', 'x-test-delay-ms: 200'), 1],
  ['two requests', request('GET /unit HTTP/1.1', 'x-test-delay-ms: 50').repeat(2), 2],
  ['a large answer', request('GET /unit HTTP/1.1', 'x-test-bytes: 3000000'), 1],
] as const) {
  t.test(`answered: ${title}`, async (t) => {
    const scene = await start(t);
    const { client } = scene;
    client.socket.end(Buffer.from(bytes, 'latin1'));
    for (let count = 0; count < answers; count++) {
      const { status, complete } = await client.answer();
      t.same([status, complete], [200, true]);
    }
    t.equal(String(await client.untilClosed()), '', 'and then the connection ends');
    await charged(t, scene, answers);
  });
}

t.test('a client that is gone is noticed while its upstream takes its time', async (t) => {
  const scene = await start(t);
  const { client, upstream } = scene;
  client.write(request('GET /unit HTTP/1.1', 'x-test-hold: head'));
  await upstream.until(({ log }) => log.length === 1);
  client.destroy();
  await upstream.until(({ log }) => log[0]?.served === 'aborted');
  await charged(t, scene, 1);
});

t.test('a client that ends within its body is not served', async (t) => {
  const scene = await start(t);
  const { client, upstream } = scene;
  client.socket.end(request('POST /unit HTTP/1.1', 'content-length: 10'));
  await client.untilClosed();
  t.equal(upstream.log.length, 0);
  await charged(t, scene, 0);
});
