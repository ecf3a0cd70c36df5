// A request that cannot be priced or attributed is refused with its error code; nothing is charged, stored or forwarded.
import t, { type Test } from 'tap';
import { CATALOGUE, type ErrorCode } from '../../src/errors/catalogue.js';
import { decodeJournal } from '../../src/ledger/codec.js';
import type { Ledger, Table } from '../../src/ledger/port.js';
import { admin, as, ask, type RunningGateway, startGateway } from '../support/gateway.js';
import { headerOf, RawClient } from '../support/raw.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';
import {
  type BadRequest,
  BODIES,
  COST_HEADERS,
  type GatewayKind,
  IDENTITY,
  ROUTING,
  SOUND,
  WIRE,
} from './bad-requests.js';
import { cyclesOf, fieldsOf, figuresOf, journalOf } from './figures.js';
import { comesTo } from './load.js';

const GROUPS = Array.from({ length: 65 }, (_, index) => `g${index}`);
const PLANS = '{ usage: { allowance: 1000000 }, lds: { allowance: 1000000 } }';
const ORGS = `
  acme:
    plans: ${PLANS}
    groups: { ${GROUPS.map((group) => `${group}: {}`).join(', ')} }
    users:
      ana: { groups: [g1] }
      asleep: {}
      gone: {}
      busy: { groups: [${GROUPS.slice(0, 64).join(', ')}] }
  bare: { users: { ana: {} } }
  full: { seats: 1, plans: ${PLANS}, users: { ana: {} } }
  past: { plans: ${PLANS}, users: { ana: {} } }
`;
const GROUPS_OF: Readonly<Record<string, readonly BadRequest[]>> = {
  'routes and paths': ROUTING,
  identity: IDENTITY,
  'costs in headers': COST_HEADERS,
  'costs in bodies': BODIES,
};

type Gateways = Readonly<Record<GatewayKind, RunningGateway>>;

interface Setup {
  readonly gateways: Gateways;
  readonly upstream: TestUpstream;
}

async function setUp(t: Test, store: 'embedded' | 'redis'): Promise<Setup> {
  const redis = store === 'redis' ? await startRedis() : undefined;
  const upstream = await TestUpstream.start();
  const parts = { redis: redis?.url, upstream: upstream.url, orgs: ORGS };
  const gateways: Gateways = {
    register: await startGateway(parts),
    deny: await startGateway({ ...parts, unknownUsers: 'deny' }),
    elsewhere: await startGateway({ ...parts, peers: '10.0.0.0/8, "::1"' }),
  };
  t.teardown(async () => {
    for (const gateway of Object.values(gateways)) await gateway.close();
    await upstream.close();
    await redis?.stop();
  });
  await prepare(gateways.register);
  return { gateways, upstream };
}

/** Creates inactive and removed users, an archived org, and counters whose journal is already folded into history. */
async function prepare({ app, admin: address, gateway }: RunningGateway): Promise<void> {
  await admin(address, 'PATCH', '/orgs/acme/users/asleep', { status: 'inactive' });
  await admin(address, 'DELETE', '/orgs/acme/users/gone');
  await admin(address, 'DELETE', '/orgs/past');
  for (const user of ['ana', 'busy']) await ask(gateway, '/v3/unit', { headers: as(user) });
  const unfolded = async (): Promise<number> => (await journalOf(app.ledger, 'acme')).length;
  while ((await unfolded()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

const TABLES: readonly Table[] = ['org', 'limits', 'members', 'groups', 'records', 'holds', 'cycles'];

/** Everything in the store except its time. */
async function dump(ledger: Ledger): Promise<unknown> {
  const stored: Record<string, unknown> = {};
  for (const org of (await ledger.orgs()).sort()) {
    const starts = await cyclesOf(ledger, org);
    const cycles = starts.flatMap((start): Table[] => [`consumed:${start}`, `held:${start}`]);
    // Refused requests are counted, and charge nothing.
    const charged = (await journalOf(ledger, org)).filter(({ text }) =>
      decodeJournal(text).some(({ refused }) => refused === undefined),
    );
    const tables: Record<string, unknown> = { journal: charged };
    for (const table of [...TABLES, ...cycles]) {
      const fields = await fieldsOf(ledger, org, table);
      tables[table] = fields.filter(([field]) => table !== 'org' || !['now', 'due'].includes(field)).sort();
    }
    stored[org] = tables;
  }
  return stored;
}

interface Refusal {
  readonly status: number;
  readonly type: string | undefined;
  readonly header: string | undefined;
  readonly code: unknown;
}

/** The expected refusal with this code. */
function refusalOf(code: ErrorCode, hasBody: boolean): Refusal {
  const { status } = CATALOGUE[code];
  return { status, type: 'application/problem+json', header: code, code: hasBody ? code : undefined };
}

async function refusalFrom(client: RawClient, method: string): Promise<Refusal> {
  const { status, rawHeaders, body } = await client.answer(method);
  return {
    status,
    type: headerOf(rawHeaders, 'content-type'),
    header: headerOf(rawHeaders, 'quotagate-error'),
    code: body.length === 0 ? undefined : JSON.parse(body.toString()).code,
  };
}

function portOf({ gateway }: RunningGateway): number {
  return Number(gateway.split(':').at(-1));
}

function methodOf(bytes: string): string {
  return bytes.slice(0, bytes.indexOf(' '));
}

async function isRefused(t: Test, { gateways, upstream }: Setup, bad: BadRequest): Promise<void> {
  const gateway = gateways[bad.kind ?? 'register'];
  const { length } = upstream.log;
  const client = await RawClient.connect(portOf(gateway));
  const method = methodOf(bad.bytes);
  client.write(bad.bytes);
  t.strictSame(await refusalFrom(client, method), refusalOf(bad.code, method !== 'HEAD'), bad.title);
  client.destroy();
  if (upstream.log.length > length) t.fail(`${bad.title}: it was forwarded`);
}

for (const store of ['embedded', 'redis'] as const) {
  t.test(`bad input, ${store}`, { skip: store === 'redis' && skipWithoutRedis }, async (t) => {
    const setup = await setUp(t, store);
    const { upstream, gateways } = setup;
    const ledgers = Object.values(gateways).map(({ app }) => app.ledger);
    const all = (): Promise<unknown[]> => Promise.all(ledgers.map(dump));
    const before = await all();
    const { length } = upstream.log;

    for (const [title, requests] of Object.entries(GROUPS_OF)) {
      await t.test(title, async (t) => {
        for (const request of requests) {
          await isRefused(t, setup, request);
          const ledger = gateways[request.kind ?? 'register'].app.ledger;
          const now = await dump(ledger);
          if (JSON.stringify(now) !== JSON.stringify(before[ledgers.indexOf(ledger)])) t.fail(request.title);
        }
      });
    }

    await t.test('ambiguous HTTP, with a valid request after it on the same connection', async (t) => {
      for (const { title, bytes, code } of WIRE) {
        const client = await RawClient.connect(portOf(gateways.register));
        client.write(bytes + SOUND);
        t.strictSame(await refusalFrom(client, 'GET'), refusalOf(code, true), title);
        const rest = await client.untilClosed();
        t.equal(rest.toString('latin1'), '', `${title}: one response, then the connection closes`);
      }
    });

    t.strictSame(await all(), before, 'nothing was stored');
    t.equal(upstream.log.length, length, 'nothing was forwarded');
    await goesOn(t, setup);
  });
}

/** A refusal leaves the connection usable, and an unusual but valid user id is charged to that user. */
async function goesOn(t: Test, { gateways, upstream }: Setup): Promise<void> {
  const { length } = upstream.log;
  const { register } = gateways;
  const before = await figuresOf(register.app.ledger, 'acme');
  const client = await RawClient.connect(portOf(register));
  const refused = [...ROUTING, ...IDENTITY, ...COST_HEADERS].filter(({ kind }) => kind === undefined);
  for (const { bytes, code } of refused.filter((_, index) => index % 10 === 0)) {
    t.equal((await refusalFrom(client.write(bytes), methodOf(bytes))).header, code);
    t.equal((await client.write(SOUND).answer()).status, 200, 'on the same connection');
  }
  client.destroy();
  const sound = upstream.log.length - length;
  const odd = "a|b;c:d,e=f~g!h#i{j}*'(k) %25";
  const { status } = await ask(register.gateway, '/v3/unit', { headers: as(odd) });
  t.equal(status, 200);
  const userKey = encodeURIComponent(odd).replace(
    /[!'()*~]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const consumed = {
    ...before.consumed,
    'usage:g:g1': (before.consumed['usage:g:g1'] ?? 0) + sound * 10,
    'usage:o': (before.consumed['usage:o'] ?? 0) + (sound + 1) * 10,
    'usage:u:ana': (before.consumed['usage:u:ana'] ?? 0) + sound * 10,
    [`usage:u:${userKey}`]: 10,
  };
  const wanted = { consumed, held: {}, recorded: consumed };
  await comesTo(t, () => figuresOf(register.app.ledger, 'acme'), wanted, 'each user is charged');
  const { body } = await admin(register.admin, 'GET', `/orgs/acme/users/${encodeURIComponent(odd)}`);
  t.match(body, { id: odd, quotas: { usage: { consumed: 1 } } });
}
