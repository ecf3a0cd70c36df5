// A body that a client offers with `Expect: 100-continue` is requested only after the request is admitted and the
// upstream is connected.
import t, { type Test } from 'tap';
import { headerOf } from '../support/raw.js';
import { type RawSetup, rawSetup } from '../support/raw-setup.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 10 } } }';
const ROUTES = `
  - { match: 'POST /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /dear', action: dear, upstream: up, charges: [{ quota: usage, units: 100 }] }
  - { match: 'POST /rows', action: rows, upstream: up, charges: [{ quota: usage, units: { jsonLength: /rows } }] }
  - { match: 'POST /down', action: down, upstream: down, charges: [{ quota: usage, units: 1 }] }
`;
const IDENTITY = ['x-quota-org: acme', 'x-quota-user: ana'];
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

function offer(path: string, bytes: number, identity: readonly string[] = IDENTITY): string {
  const fields = [`content-length: ${bytes}`, 'expect: 100-continue'];
  return [`POST ${path} HTTP/1.1`, 'host: a', ...identity, ...fields, '', ''].join('\r\n');
}

async function start(t: Test): Promise<RawSetup> {
  const down = await TestUpstream.start();
  const upstreams = { down: { url: down.url } };
  await down.close();
  return rawSetup(t, { upstreams, orgs: ORGS, routes: ROUTES });
}

for (const [path, body] of [
  ['/unit', 'hello'],
  ['/rows', '{"rows":[1,2]}'],
] as const) {
  t.test(`admitted: ${path}`, async (t) => {
    const { upstream, connect } = await start(t);
    const client = (await connect()).write(offer(path, body.length));
    t.equal(String(await client.untilLength(CONTINUE.length)), CONTINUE);
    t.equal(upstream.log.length, 0, 'without a body there is nothing to send yet');
    t.equal((await client.write(body).answer()).status, 200);
    t.same(
      upstream.log.map((entry) => [entry.target, entry.body, entry.headers.expect]),
      [[path, body, undefined]],
    );
    t.equal((await client.write(offer(path, body.length)).write(body).answer()).status, 200, 'it goes on');
  });
}

const SIZE = 1_000_000;

for (const [code, head] of [
  ['quota-exceeded', offer('/dear', SIZE)],
  ['route-unknown', offer('/nowhere', SIZE)],
  ['identity-missing', offer('/unit', SIZE, [])],
  ['identity-missing', offer('/rows', SIZE, [])],
  ['body-too-large', offer('/rows', 99_999_999)],
  ['upstream-unreachable', offer('/down', SIZE)],
] as const) {
  t.test(`refused: ${code}`, async (t) => {
    const { upstream, connect } = await start(t);
    const client = (await connect()).write(head);
    const all = String(await client.untilClosed());
    t.match(all, /^HTTP\/1\.1 [45]\d\d /, 'the refusal is the first that comes');
    t.match(all, `QuotaGate-Error: ${code}\r\n`);
    t.match(all, 'Connection: close\r\n', 'whether a body follows is not known');
    t.equal(upstream.log.length, 0);
  });
}

t.test('who does not wait for it is served as well', async (t) => {
  const { upstream, connect } = await start(t);
  const client = (await connect()).write(`${offer('/unit', 5)}hello`);
  const { status, rawHeaders } = await client.answer();
  t.same([status, headerOf(rawHeaders, 'quotagate-error')], [200, undefined]);
  t.equal(upstream.log[0]?.body, 'hello');
});
