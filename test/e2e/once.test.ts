// However a request ends, it is charged once or not at all: counters and history equal what the upstream served.
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { as, ask, type RunningGateway, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream, type UpstreamEntry } from '../support/upstream.js';
import { figuresOf, journalOf, type Units } from './figures.js';
import { comesTo, startLoad, until } from './load.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 1000000 }, lds: { allowance: 1000000 } }
    groups: { crew: {} }
    users: { ana: { groups: [crew] } }
`;

const ROUTES = `
  - { match: 'GET /unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /closed', action: closed, upstream: closed, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /slow', action: slow, upstream: slow, charges: [{ quota: usage, units: 1 }] }
  - { match: 'GET /narrow', action: narrow, upstream: narrow, charges: [{ quota: usage, units: 1 }] }
  - match: POST /rows
    action: rows
    upstream: up
    charges: [{ quota: lds, units: { jsonLength: /rows } }, { quota: usage, units: 0.1 }]
`;

interface Setup {
  readonly gateway: RunningGateway;
  readonly upstream: TestUpstream;
  /** Expected units by counter. */
  readonly charged: Map<string, number>;
}

async function setUp(t: Test, store: 'embedded' | 'redis'): Promise<Setup> {
  const redis = store === 'redis' ? await startRedis() : undefined;
  const upstream = await TestUpstream.start();
  const { url } = upstream;
  const gateway = await startGateway({
    redis: redis?.url,
    upstream: url,
    upstreams: {
      closed: { url: `http://127.0.0.1:${await closedPort()}` },
      slow: { url, timeouts: { headersMs: 100 } },
      narrow: { url, connections: 1 },
    },
    routes: ROUTES,
    orgs: ORGS,
  });
  t.teardown(async () => {
    upstream.release();
    await gateway.close();
    await upstream.close();
    await redis?.stop();
  });
  return { gateway, upstream, charged: new Map() };
}

/** A port that was free a moment ago. Nothing listens on it. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Adds internal units to the expected counters of ana, her group and the org. */
function add({ charged }: Setup, quota: string, units: number): void {
  for (const line of [`${quota}:g:crew`, `${quota}:o`, `${quota}:u:ana`])
    charged.set(line, (charged.get(line) ?? 0) + units);
}

async function isCharged(t: Test, { gateway, charged }: Setup, what: string): Promise<void> {
  const units: Units = Object.fromEntries([...charged].sort());
  const wanted = { consumed: units, held: {}, recorded: units };
  await comesTo(t, () => figuresOf(gateway.app.ledger, 'acme'), wanted, what);
}

/** Sends a request with `x-test-…` headers; returns the status or the error code. */
function asked({ gateway }: Setup, path: string, fields: Record<string, string> = {}): Promise<unknown> {
  return ask(gateway.gateway, path, { headers: { ...as('ana'), ...fields } }).then(
    ({ status, headers }) => headers['quotagate-error'] ?? status,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

/** A request that the test can abort. */
function abortableRequest(
  { gateway }: Setup,
  path: string,
  fields: Record<string, string> = {},
): ClientRequest {
  const [host, port] = gateway.gateway.split(':');
  const headers = { ...as('ana'), ...fields };
  const outgoing = httpRequest({ host, port, path, headers, agent: false });
  outgoing.on('error', () => undefined).end();
  return outgoing;
}

/** The request that reaches the upstream next. */
async function nextAt({ upstream }: Setup, what: (entry: UpstreamEntry) => boolean): Promise<UpstreamEntry> {
  const { length } = upstream.log;
  await upstream.until(({ log }) => log.length > length && log.at(-1)?.received === true);
  const entry = upstream.log[length];
  if (entry === undefined) throw new Error('no request arrived');
  await upstream.until(() => what(entry));
  return entry;
}

/** Upstream responses, and whether they are charged. */
const ANSWERS: readonly [
  title: string,
  fields: Record<string, string>,
  expected: unknown,
  counts: boolean,
][] = [
  ['200', {}, 200, true],
  ['204', { 'x-test-status': '204' }, 204, true],
  ['299', { 'x-test-status': '299' }, 299, true],
  ['304', { 'x-test-status': '304' }, 304, false],
  ['404', { 'x-test-status': '404' }, 404, false],
  ['429 of its own', { 'x-test-status': '429' }, 429, false],
  ['500', { 'x-test-status': '500' }, 500, false],
  ['a reset before the head', { 'x-test-reset': '1' }, 'upstream-broken', false],
  ['a body that breaks off after 200', { 'x-test-bytes': '90000', 'x-test-cut': '9' }, 'ECONNRESET', true],
  [
    'a body that breaks off after 500',
    { 'x-test-status': '500', 'x-test-bytes': '90000', 'x-test-cut': '9' },
    'ECONNRESET',
    false,
  ],
];

for (const store of ['embedded', 'redis'] as const) {
  t.test(
    `each outcome is charged once or not at all, ${store}`,
    { skip: store === 'redis' && skipWithoutRedis },
    async (t) => {
      const setup = await setUp(t, store);
      const { upstream, gateway } = setup;

      for (const [title, fields, expected, counts] of ANSWERS) {
        const before = upstream.log.length;
        t.equal(await asked(setup, '/unit', fields), expected, title);
        // A reset on an idle connection: an idempotent request is sent once more on a fresh one.
        const sent = expected === 'upstream-broken' ? 2 : 1;
        t.equal(upstream.log.length, before + sent, `sent ${sent === 1 ? 'once' : 'twice'}`);
        if (counts) add(setup, 'usage', 10);
        await isCharged(t, setup, title);
      }

      t.equal(await asked(setup, '/closed'), 'upstream-unreachable');
      await isCharged(t, setup, 'a refused connection');

      t.equal(await asked(setup, '/slow', { 'x-test-hold': 'head' }), 'upstream-timeout');
      await isCharged(t, setup, 'an upstream that does not answer');

      const rows = { method: 'POST', headers: as('ana'), body: '{"rows":[1,2,3]}' };
      t.equal((await ask(gateway.gateway, '/rows', rows)).status, 200);
      add(setup, 'lds', 3);
      add(setup, 'usage', 1);
      await isCharged(t, setup, 'two quotas');
      const failing = { ...rows, headers: { ...rows.headers, 'x-test-status': '503' } };
      t.equal((await ask(gateway.gateway, '/rows', failing)).status, 503);
      await isCharged(t, setup, 'two quotas refunded');

      await clientsLeave(t, setup);
      await mixedLoad(t, setup);

      await until('the journal is history', async () => (await unfolded(gateway)) === 0);
      await isCharged(t, setup, 'history alone');
    },
  );
}

async function unfolded({ app: { ledger } }: RunningGateway): Promise<number> {
  return (await journalOf(ledger, 'acme')).length;
}

async function clientsLeave(t: Test, setup: Setup): Promise<void> {
  const { upstream } = setup;
  const gone = ({ served }: UpstreamEntry): boolean => served === 'aborted';

  let sent = nextAt(setup, () => true);
  let client = abortableRequest(setup, '/unit', { 'x-test-hold': 'head' });
  let entry = await sent;
  client.destroy();
  await upstream.until(() => gone(entry));
  add(setup, 'usage', 10);
  await isCharged(t, setup, 'a client that left before the status');

  for (const [status, units] of [
    ['200', 10],
    ['500', 0],
  ] as const) {
    sent = nextAt(setup, (one) => one.status !== 0);
    client = abortableRequest(setup, '/unit', { 'x-test-hold': 'body', 'x-test-status': status });
    const head = new Promise((resolve) => client.once('response', resolve));
    entry = await sent;
    await head;
    client.destroy();
    await upstream.until(() => gone(entry));
    if (units > 0) add(setup, 'usage', units);
    await isCharged(t, setup, `a client that left after ${status}`);
  }

  // This upstream has one connection, so the second request waits for it.
  sent = nextAt(setup, () => true);
  const first = asked(setup, '/narrow', { 'x-test-hold': 'head' });
  await sent;
  add(setup, 'usage', 10);
  const { length } = upstream.log;
  client = abortableRequest(setup, '/narrow');
  await until('the second is admitted', async () => (await consumedBy(setup, 'ana')) === totalOf(setup) + 10);
  client.destroy();
  await isCharged(t, setup, 'a client that left before its request was sent');
  upstream.release();
  t.equal(await first, 200);
  t.equal(await asked(setup, '/narrow'), 200);
  add(setup, 'usage', 10);
  t.equal(upstream.log.length, length + 1, 'the abandoned request was never sent');
  await isCharged(t, setup, 'the connection is used again');
}

async function consumedBy({ gateway }: Setup, user: string): Promise<number> {
  const { consumed } = await figuresOf(gateway.app.ledger, 'acme');
  return consumed[`usage:u:${user}`] ?? 0;
}

function totalOf({ charged }: Setup): number {
  return charged.get('usage:u:ana') ?? 0;
}

const MIXTURE: readonly Record<string, string>[] = [
  {},
  { 'x-test-status': '500' },
  { 'x-test-reset': '1' },
  { 'x-test-bytes': '90000', 'x-test-cut': '1' },
  { 'x-test-status': '404', 'x-test-delay-ms': '3' },
];

/** All outcomes concurrently; the upstream's log says how many count. */
async function mixedLoad(t: Test, setup: Setup): Promise<void> {
  const { upstream, gateway } = setup;
  const { length } = upstream.log;
  const load = startLoad({
    gateways: [gateway.gateway],
    connections: 16,
    path: '/unit',
    users: ['ana'],
    headersOf: (count) => MIXTURE[count % MIXTURE.length] ?? {},
  });
  await upstream.until(({ log }) => log.length > length + 400);
  await load.stop();
  const served = upstream.log.slice(length).filter(({ status }) => status === 200).length;
  t.ok(served > 100, `${served} of ${upstream.log.length - length} count`);
  add(setup, 'usage', served * 10);
  await isCharged(t, setup, 'all outcomes at once');
}

t.test(
  'charges stay exact when Redis stops for two seconds under load',
  { skip: skipWithoutRedis },
  async (t) => {
    const redis = await startRedis();
    const upstream = await TestUpstream.start();
    const parts = { redis: redis.url, upstream: upstream.url, routes: ROUTES, orgs: ORGS, deadlineMs: 100 };
    const upstreams = {
      closed: { url: upstream.url },
      slow: { url: upstream.url },
      narrow: { url: upstream.url },
    };
    const gateways = [
      await startGateway({ ...parts, upstreams }),
      await startGateway({ ...parts, upstreams }),
    ];
    const [first] = gateways;
    t.teardown(async () => {
      for (const gateway of gateways) await gateway.close();
      await upstream.close();
      await redis.stop();
    });
    if (first === undefined) throw new Error('no gateway');
    const setup: Setup = { gateway: first, upstream, charged: new Map() };
    const load = startLoad({
      gateways: gateways.map(({ gateway }) => gateway),
      connections: 16,
      path: '/unit',
      users: ['ana'],
      headersOf: (count) => MIXTURE[count % MIXTURE.length] ?? {},
    });
    await upstream.until(({ log }) => log.length > 300);
    process.kill(redis.pid, 'SIGSTOP');
    await delay(2_000);
    process.kill(redis.pid, 'SIGCONT');
    const refused = load.counts.get(503) ?? 0;
    const { length } = upstream.log;
    await until('requests are admitted again', () => upstream.log.length > length + 300);
    await load.stop();
    t.ok(refused > 16, `${refused} refused during the stop`);
    const expected = [0, 200, 404, 500, 502, 503];
    t.strictSame(
      [...load.counts.keys()].filter((status) => !expected.includes(status)),
      [],
    );
    add(setup, 'usage', 10 * upstream.log.filter(({ status }) => status === 200).length);
    await isCharged(t, setup, 'charges equal what was served');
    const agent = new Agent();
    t.equal((await ask(first.gateway, '/unit', { headers: as('ana'), agent })).status, 200);
  },
);
