// A write of one resource takes at most three round trips to the store: the token, the read, the commit that answers.
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ROLE_TABLE } from '../../src/admin/endpoints.js';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import { addToken, TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { KeyedMutex } from '../../src/admin/writes/keyed-mutex.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { loadScript } from '../../src/ledger/redis/scripts.js';
import { charges } from '../../src/quota/charge.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { ACME, addDelivery, addRaiseRequest, applyNow, bearer, CONSOLE, QUOTAS } from './support.js';

/** Long beside what this process does between two calls, so that calls of one round trip are seen together. */
const ROUND_TRIP_MS = 40;

/** What this process sends by itself, whatever an admin does: the look at the store's epoch, and the check of the server. */
const PRESENCE = loadScript('presence').sha;
const BY_ITSELF = new RegExp(`\\r\\n(${PRESENCE}|scard|info)\\r\\n`);
/** The schedule of maintenance, once a second. */
const SCHEDULE = /\r\nzadd\r\n/;
const COMMAND = /\*\d+\r\n\$\d+\r\n[a-z]+\r\n/g;

/** Counts where the bytes pass: a round trip begins when something is sent after an answer has come. */
class RoundTrips {
  count = 0;
  commands = 0;
  /** Whether a look at the epoch counts: only a new org needs one. */
  private looksCount = false;
  private answered = true;
  private onLook: () => void = () => undefined;

  constructor(proxy: FaultProxy) {
    proxy.treatAll((link) => {
      link.slow(ROUND_TRIP_MS);
      link.client.on('data', (data: Buffer) => this.sent(data.toString('latin1')));
      link.store.on('data', () => {
        this.answered = true;
      });
    });
  }

  private sent(text: string): void {
    if (SCHEDULE.test(text)) return;
    const byItself = BY_ITSELF.test(text);
    if (byItself) this.onLook();
    if (byItself && !this.looksCount) return;
    this.commands += text.match(COMMAND)?.length ?? 0;
    if (this.answered) this.count += 1;
    this.answered = false;
  }

  /** From now on. Where looks count, begins just behind one, so that the next is the write's own. */
  async begin(looksCount: boolean): Promise<void> {
    this.looksCount = false;
    if (looksCount) {
      await new Promise<void>((resolve) => {
        this.onLook = resolve;
      });
      await setTimeout(2 * ROUND_TRIP_MS);
    }
    Object.assign(this, { count: 0, commands: 0, answered: true, looksCount });
  }
}

interface Write {
  /** As the role table has it. */
  readonly name: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
  /** Round trips; left out: 3. */
  readonly most?: number;
}

const CYCLE = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
const EVERY_WRITE: readonly Write[] = [
  { name: 'POST /v1/session', path: '/session', body: { token: '<text>' }, headers: CONSOLE, status: 200 },
  {
    name: 'DELETE /v1/session',
    path: '/session',
    headers: { ...CONSOLE, cookie: '<cookie>' },
    status: 204,
  },
  { name: 'PUT /v1/orgs/:org', path: '/orgs/new', body: { cycle: CYCLE }, status: 201 },
  { name: 'PUT /v1/orgs/:org', path: '/orgs/acme', body: { cycle: CYCLE, seats: 9 }, status: 200 },
  {
    name: 'PUT /v1/orgs/:org/plans/:quota',
    path: '/orgs/acme/plans/lds',
    body: { allowance: 9 },
    status: 200,
  },
  {
    name: 'PUT /v1/orgs/:org/plans/:quota',
    path: '/orgs/acme/plans/lds',
    body: { allowance: 99 },
    status: 200,
  },
  // A smaller pool may leave a percent limit with nothing: it reads all limits, in pages.
  {
    name: 'PUT /v1/orgs/:org/plans/:quota',
    path: '/orgs/acme/plans/lds',
    body: { allowance: 50 },
    status: 200,
    most: 4,
  },
  {
    name: 'POST /v1/orgs/:org/plans/:quota/extra',
    path: '/orgs/acme/plans/ai/extra',
    body: { units: 9, reason: 'order 9' },
    status: 201,
  },
  {
    name: 'POST /v1/orgs/:org/users',
    path: '/orgs/acme/users',
    body: { id: 'eve', groups: ['eng', 'ops'] },
    status: 201,
  },
  {
    name: 'PATCH /v1/orgs/:org/users/:user',
    path: '/orgs/acme/users/eve',
    body: { name: 'Eve' },
    status: 200,
  },
  {
    name: 'PATCH /v1/orgs/:org/users/:user',
    path: '/orgs/acme/users/eve',
    body: { groups: ['ops'] },
    status: 200,
  },
  {
    name: 'PATCH /v1/orgs/:org/users/:user',
    path: '/orgs/acme/users/eve',
    body: { name: 'Eve' },
    status: 200,
  },
  { name: 'DELETE /v1/orgs/:org/users/:user', path: '/orgs/acme/users/eve', status: 204 },
  { name: 'POST /v1/orgs/:org/groups', path: '/orgs/acme/groups', body: { id: 'sales' }, status: 201 },
  {
    name: 'PATCH /v1/orgs/:org/groups/:group',
    path: '/orgs/acme/groups/eng',
    body: { name: 'E' },
    status: 200,
  },
  {
    name: 'PUT /v1/orgs/:org/groups/:group/members/:user',
    path: '/orgs/acme/groups/sales/members/ann',
    status: 204,
  },
  {
    name: 'DELETE /v1/orgs/:org/groups/:group/members/:user',
    path: '/orgs/acme/groups/eng/members/ann',
    status: 204,
  },
  { name: 'DELETE /v1/orgs/:org/groups/:group', path: '/orgs/acme/groups/sales', status: 204 },
  {
    name: 'POST /v1/orgs/:org/limits',
    path: '/orgs/acme/limits',
    body: { user: 'bob', quota: 'ai', units: 9 },
    status: 201,
  },
  {
    name: 'POST /v1/orgs/:org/limits',
    // It names the users that the limit would block.
    path: '/orgs/acme/limits?dryRun=true',
    body: { group: 'eng', quota: 'ai', units: 9 },
    status: 200,
    most: 4,
  },
  {
    name: 'PATCH /v1/orgs/:org/limits/:limit',
    path: '/orgs/acme/limits/ai:u:bob',
    body: { units: 10 },
    status: 200,
  },
  {
    name: 'PATCH /v1/orgs/:org/limits/:limit',
    path: '/orgs/acme/limits/ai:u:bob',
    body: { units: 10 },
    status: 200,
  },
  {
    name: 'POST /v1/orgs/:org/limits/:limit/raise',
    path: '/orgs/acme/limits/ai:u:bob/raise',
    body: { units: 9, until: '2099-01-01T00:00:00Z', reason: 'x' },
    status: 200,
  },
  { name: 'DELETE /v1/orgs/:org/limits/:limit/raise', path: '/orgs/acme/limits/ai:u:bob/raise', status: 200 },
  {
    name: 'POST /v1/orgs/:org/adjustments',
    path: '/orgs/acme/adjustments',
    body: { user: 'bob', quota: 'ai', units: 9, reason: 'x' },
    status: 201,
  },
  {
    name: 'POST /v1/orgs/:org/raise-requests/:limit/answer',
    path: '/orgs/acme/raise-requests/ai:u:ann/answer',
    body: { answer: 'declined' },
    status: 200,
  },
  { name: 'DELETE /v1/orgs/:org/limits/:limit', path: '/orgs/acme/limits/ai:u:bob', status: 204 },
  // Not one resource: it reads all members and all limits, in pages.
  {
    name: 'POST /v1/orgs/:org/limits/distribute',
    path: '/orgs/acme/limits/distribute',
    body: { quota: 'ai' },
    status: 200,
    most: 5,
  },
  // Not one resource: it reads the limits and subjects of its rows.
  {
    name: 'POST /v1/orgs/:org/limits/bulk',
    path: '/orgs/acme/limits/bulk',
    body: { limits: [{ user: 'ann', quota: 'ai', units: 9 }] },
    status: 200,
    most: 4,
  },
  { name: 'DELETE /v1/orgs/:org/holds/:hold', path: '/orgs/acme/holds/h1', status: 204 },
  {
    name: 'PUT /v1/orgs/:org/notifications',
    path: '/orgs/acme/notifications',
    body: {
      thresholds: { users: [50], groups: [], org: [1, 100] },
      refusals: { users: true, groups: false, org: false },
      email: { enabled: true, admins: true, recipients: [] },
    },
    status: 200,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/webhooks',
    path: '/orgs/acme/notifications/webhooks',
    body: { url: 'https://hooks.example.com/' },
    status: 201,
  },
  {
    name: 'PATCH /v1/orgs/:org/notifications/webhooks/:webhook',
    path: '/orgs/acme/notifications/webhooks/hook1',
    body: { enabled: false },
    status: 200,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/webhooks/:webhook/rotate',
    path: '/orgs/acme/notifications/webhooks/hook1/rotate',
    body: {},
    status: 201,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/failures/:delivery/resend',
    path: '/orgs/acme/notifications/failures/delivery1/resend',
    body: {},
    status: 200,
  },
  {
    name: 'DELETE /v1/orgs/:org/notifications/webhooks/:webhook',
    path: '/orgs/acme/notifications/webhooks/hook1',
    status: 204,
  },
  { name: 'POST /v1/orgs/:org/keys', path: '/orgs/acme/keys', body: { user: 'ann' }, status: 201 },
  { name: 'DELETE /v1/orgs/:org/keys/:key', path: '/orgs/acme/keys/<key>', status: 204 },
  // Not one resource: it reads all groups, members, records and limits, in pages.
  {
    name: 'POST /v1/orgs/:org/apply',
    path: '/orgs/acme/apply',
    body: { groups: { eng: { name: 'E2' } } },
    status: 200,
    most: 4,
  },
  ...scimWrites(),
  // Not one resource: it stages all rows.
  {
    name: 'POST /v1/orgs/:org/users/import',
    path: '/orgs/acme/users/import',
    body: [{ id: 'zed' }],
    status: 200,
    most: 12,
  },
  // Not one resource: it finds all recipients, in a copy of the org. From here on the copy is refreshed meanwhile.
  {
    name: 'POST /v1/orgs/:org/notifications/test',
    path: '/orgs/acme/notifications/test',
    body: {},
    status: 200,
    most: 20,
  },
  {
    name: 'POST /v1/tokens',
    path: '/tokens',
    body: { name: 'new', role: 'viewer', orgs: ['acme', 'new'] },
    status: 201,
  },
  { name: 'DELETE /v1/tokens/:token', path: '/tokens/<token>', status: 204 },
  { name: 'DELETE /v1/orgs/:org', path: '/orgs/acme', status: 204 },
  { name: 'POST /v1/orgs/:org/restore', path: '/orgs/acme/restore', body: { reason: 'x' }, status: 200 },
];

/**
 * As a directory sends them. A whole list of members is compared with the present one; the first list makes the copy of the org.
 */
function scimWrites(): Write[] {
  const scim = (name: string, rest: string, more: Omit<Write, 'name' | 'path'>): Write => {
    const [method = '', path = ''] = name.split(' ');
    const full = `${method} /v1/orgs/:org/scim/v2${path}`;
    return { name: full, path: `/orgs/acme/scim/v2${rest}`, ...more };
  };
  const operations = (...list: object[]) => ({ Operations: list });
  const off = operations({ op: 'replace', value: { active: false } });
  const joins = operations({ op: 'add', path: 'members', value: [{ value: 'ann' }] });
  const newName = operations({ op: 'replace', path: 'externalId', value: 'x3' });
  const renamed = { userName: 'zoe', externalId: 'x2' };
  const group = { displayName: 'Sky', members: [{ value: 'ann' }] };
  return [
    scim('POST /Users', '/Users', { body: { userName: 'zoe' }, status: 201 }),
    scim('PUT /Users/:id', '/Users/zoe', { body: { userName: 'zoe', displayName: 'Zoe' }, status: 200 }),
    scim('PUT /Users/:id', '/Users/zoe', { body: renamed, status: 200 }),
    scim('PATCH /Users/:id', '/Users/zoe', { body: newName, status: 200 }),
    scim('PATCH /Users/:id', '/Users/zoe', { body: off, status: 200 }),
    scim('POST /Users/.search', '/Users/.search', { body: { filter: 'id eq "zoe"' }, status: 200 }),
    scim('DELETE /Users/:id', '/Users/zoe', { status: 204 }),
    scim('POST /Groups', '/Groups', { body: group, status: 201 }),
    scim('PUT /Groups/:id', '/Groups/sky', { body: group, status: 200, most: 5 }),
    scim('PATCH /Groups/:id', '/Groups/sky', { body: joins, status: 204 }),
    scim('DELETE /Groups/:id', '/Groups/sky', { status: 204 }),
    scim('POST /Groups/.search', '/Groups/.search', { body: { count: 0 }, status: 200, most: 16 }),
  ];
}

async function setUp(t: Test) {
  const redis = await startRedis();
  const proxy = await FaultProxy.start(redis.socket);
  const roundTrips = new RoundTrips(proxy);
  // Another connection of the same server, past the proxy: what it seeds is known to no cache of the admin API.
  const seeding = await openRedis({ url: redis.url, objectionMs: 0 });
  const token = { name: 'test', role: 'admin', orgs: 'all', expiresAt: 0 } as const;
  const author = { who: 'test', reason: undefined };
  const { text } = await addToken({ ledger: seeding, mutex: new KeyedMutex() }, { author, token });
  await createOrg(seeding, { id: 'acme', seed: ACME, quotas: QUOTAS });
  await addDelivery(seeding, 'acme');
  await addRaiseRequest(seeding, 'acme');
  const held = charges('test', [{ quota: 'ai', units: 1, kind: 'held' }]);
  await applyNow(seeding, 'acme', [
    { kind: 'reserve', user: 'bob', claims: '', charges: held, hold: 'h1', ttlMs: 600_000 },
  ]);
  const ledger = await openRedis({ url: proxy.url, objectionMs: 0 });
  const app = buildAdmin({ ledger, quotas: QUOTAS });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(async () => {
    await app.close();
    await ledger.close();
    await seeding.close();
    await proxy.close();
    await redis.stop();
  });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1`;
  // The first use of a token on a day has an entry, which is written behind the answer.
  await fetch(`${url}/orgs`, { headers: bearer(text) });
  const isNoted = async () =>
    (await seeding.logBack(TOKEN_ORG, 'audit', '', 1))[0]?.text.includes('login.succeed');
  while ((await isNoted()) !== true) await setTimeout(ROUND_TRIP_MS);
  return { url, authorization: bearer(text), roundTrips };
}

t.test('every write endpoint', { skip: skipWithoutRedis }, async (t) => {
  const written = new Set(EVERY_WRITE.map(({ name }) => name));
  const all = Object.keys(ROLE_TABLE).filter((name) => !name.startsWith('GET '));
  t.same(
    all.filter((name) => !written.has(name)),
    [],
    'each has a row',
  );
  const { url, authorization, roundTrips } = await setUp(t);
  const made: Record<string, string> = { text: authorization.authorization?.slice('Bearer '.length) ?? '' };
  const fill = (text: string): string => text.replace(/<(\w+)>/g, (_, kind: string) => made[kind] ?? '');
  for (const { name, path, body, headers = {}, status, most = 3 } of EVERY_WRITE) {
    const [method = ''] = name.split(' ');
    await roundTrips.begin(path === '/orgs/new');
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const caller = 'cookie' in headers ? {} : authorization;
    const stated = Object.entries(headers).map(([field, value]) => [field, fill(value)]);
    const response = await fetch(url + fill(path), {
      method,
      headers: { ...caller, ...content, ...Object.fromEntries(stated) },
      ...(body === undefined ? {} : { body: fill(JSON.stringify(body)) }),
    });
    const { count, commands } = roundTrips;
    const text = await response.text();
    t.equal(response.status, status, `${method} ${path}: ${text}`);
    if (path === '/session') made.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    if (path === '/tokens') made.token = JSON.parse(text).id;
    if (path === '/orgs/acme/keys') made.key = JSON.parse(text).id;
    t.comment(`${method} ${path}: ${count} round trips, ${commands} commands`);
    t.ok(count >= 1 && count <= most, `${method} ${path}: ${count} round trips, at most ${most}`);
  }
});
