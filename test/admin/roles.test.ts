// Every endpoint with every role, for its own org, another org and all orgs: allowed calls succeed; refused calls
// change nothing and reveal nothing.
import t, { type Test } from 'tap';
import { type Orgs, ROLES, type Role } from '../../src/admin/access/roles.js';
import { ROLE_TABLE } from '../../src/admin/endpoints.js';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import { addToken, TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { KeyedMutex } from '../../src/admin/writes/keyed-mutex.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { ACME, type Answer, addDelivery, type Bench, bearer, NOON, QUOTAS, startAdmin } from './support.js';

/** What a cell's request may name: it is all there in the org under test. */
interface There {
  readonly org: string;
  readonly key: string;
  readonly token: string;
  readonly webhook: string;
  readonly delivery: string;
}

interface Endpoint {
  /** As the role table has it. */
  readonly name: string;
  /** The roles that may: `a`dmin, `q`uota-manager, `v`iewer, `s`cim. Stated here once more, so that the table does not check itself. */
  readonly may: string;
  readonly path: (there: There) => string;
  readonly body?: (there: There) => unknown;
  /** Status where it is allowed; for a token of another org, where that is not the 404 of an org that is not there. */
  readonly done: number;
  readonly elsewhere?: number;
  /** It changes nothing, although it is not a GET. */
  readonly reads?: true;
}

const RAISE = { units: 9, until: '2099-01-01T00:00:00Z', reason: 'x' };
const CYCLE = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
const under =
  (rest: string) =>
  ({ org }: There): string =>
    `/orgs/${org}${rest}`;
const of = (body: unknown) => (): unknown => body;

const ENDPOINTS: readonly Endpoint[] = [
  { name: 'GET /v1/orgs', may: 'aqv', path: () => '/orgs', done: 200, elsewhere: 200 },
  { name: 'GET /v1/orgs/:org', may: 'aqv', path: under(''), done: 200 },
  { name: 'PUT /v1/orgs/:org', may: 'a', path: under(''), body: of({ cycle: CYCLE, seats: 9 }), done: 200 },
  { name: 'DELETE /v1/orgs/:org', may: 'a', path: under(''), done: 204 },
  { name: 'GET /v1/orgs/:org/overview', may: 'aqv', path: under('/overview'), done: 200 },
  {
    name: 'PUT /v1/orgs/:org/plans/:quota',
    may: 'a',
    path: under('/plans/ai'),
    body: of({ allowance: 9 }),
    done: 200,
  },
  {
    name: 'POST /v1/orgs/:org/plans/:quota/extra',
    may: 'a',
    path: under('/plans/ai/extra'),
    body: of({ units: 9, reason: 'order 9' }),
    done: 201,
  },
  { name: 'GET /v1/orgs/:org/users', may: 'aqv', path: under('/users'), done: 200 },
  { name: 'POST /v1/orgs/:org/users', may: 'aq', path: under('/users'), body: of({ id: 'eve' }), done: 201 },
  {
    name: 'POST /v1/orgs/:org/users/import',
    may: 'aq',
    path: under('/users/import'),
    body: of([{ id: 'ann', name: 'Anna' }]),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/users/:user', may: 'aqv', path: under('/users/ann'), done: 200 },
  {
    name: 'PATCH /v1/orgs/:org/users/:user',
    may: 'aq',
    path: under('/users/ann'),
    body: of({ name: 'A' }),
    done: 200,
  },
  { name: 'DELETE /v1/orgs/:org/users/:user', may: 'aq', path: under('/users/ann'), done: 204 },
  { name: 'GET /v1/orgs/:org/groups', may: 'aqv', path: under('/groups'), done: 200 },
  {
    name: 'POST /v1/orgs/:org/groups',
    may: 'aq',
    path: under('/groups'),
    body: of({ id: 'new' }),
    done: 201,
  },
  { name: 'GET /v1/orgs/:org/groups/:group', may: 'aqv', path: under('/groups/eng'), done: 200 },
  {
    name: 'GET /v1/orgs/:org/groups/:group/members',
    may: 'aqv',
    path: under('/groups/eng/members'),
    done: 200,
  },
  {
    name: 'PATCH /v1/orgs/:org/groups/:group',
    may: 'aq',
    path: under('/groups/eng'),
    body: of({ name: 'E' }),
    done: 200,
  },
  { name: 'DELETE /v1/orgs/:org/groups/:group', may: 'aq', path: under('/groups/eng'), done: 204 },
  {
    name: 'PUT /v1/orgs/:org/groups/:group/members/:user',
    may: 'aq',
    path: under('/groups/ops/members/ann'),
    done: 204,
  },
  {
    name: 'DELETE /v1/orgs/:org/groups/:group/members/:user',
    may: 'aq',
    path: under('/groups/ops/members/bob'),
    done: 204,
  },
  { name: 'GET /v1/orgs/:org/limits', may: 'aqv', path: under('/limits'), done: 200 },
  {
    name: 'POST /v1/orgs/:org/limits',
    may: 'aq',
    path: under('/limits'),
    body: of({ user: 'bob', quota: 'ai', units: 9 }),
    done: 201,
  },
  { name: 'GET /v1/orgs/:org/limits/:limit', may: 'aqv', path: under('/limits/ai:u:ann'), done: 200 },
  {
    name: 'PATCH /v1/orgs/:org/limits/:limit',
    may: 'aq',
    path: under('/limits/ai:u:ann'),
    body: of({ units: 9 }),
    done: 200,
  },
  { name: 'DELETE /v1/orgs/:org/limits/:limit', may: 'aq', path: under('/limits/ai:u:ann'), done: 204 },
  {
    name: 'POST /v1/orgs/:org/limits/:limit/raise',
    may: 'aq',
    path: under('/limits/ai:u:ann/raise'),
    body: of(RAISE),
    done: 200,
  },
  {
    name: 'DELETE /v1/orgs/:org/limits/:limit/raise',
    may: 'aq',
    path: under('/limits/ai:u:ann/raise'),
    done: 200,
  },
  {
    name: 'POST /v1/orgs/:org/adjustments',
    may: 'aq',
    path: under('/adjustments'),
    body: of({ user: 'ann', quota: 'ai', units: 5, reason: 'x' }),
    done: 201,
  },
  {
    name: 'POST /v1/orgs/:org/limits/distribute',
    may: 'aq',
    path: under('/limits/distribute'),
    body: of({ quota: 'ai' }),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/usage', may: 'aqv', path: under('/usage'), done: 200 },
  { name: 'GET /v1/orgs/:org/holds', may: 'aqv', path: under('/holds'), done: 200 },
  { name: 'DELETE /v1/orgs/:org/holds/:hold', may: 'aq', path: under('/holds/h1'), done: 204 },
  { name: 'GET /v1/orgs/:org/notifications', may: 'aqv', path: under('/notifications'), done: 200 },
  {
    name: 'PUT /v1/orgs/:org/notifications',
    may: 'aq',
    path: under('/notifications'),
    body: of({
      thresholds: { users: [50], groups: [], org: [1, 100] },
      refusals: { users: true, groups: false, org: false },
      email: { enabled: true, admins: false, recipients: ['a@example.com'] },
    }),
    done: 200,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/webhooks',
    may: 'a',
    path: under('/notifications/webhooks'),
    body: of({ url: 'https://hooks.example.com/' }),
    done: 201,
  },
  {
    name: 'PATCH /v1/orgs/:org/notifications/webhooks/:webhook',
    may: 'a',
    path: ({ org, webhook }) => `/orgs/${org}/notifications/webhooks/${webhook}`,
    body: of({ enabled: false }),
    done: 200,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/webhooks/:webhook/rotate',
    may: 'a',
    path: ({ org, webhook }) => `/orgs/${org}/notifications/webhooks/${webhook}/rotate`,
    body: of({}),
    done: 201,
  },
  {
    name: 'DELETE /v1/orgs/:org/notifications/webhooks/:webhook',
    may: 'a',
    path: ({ org, webhook }) => `/orgs/${org}/notifications/webhooks/${webhook}`,
    done: 204,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/test',
    may: 'aq',
    path: under('/notifications/test'),
    body: of({}),
    done: 200,
  },
  {
    name: 'GET /v1/orgs/:org/notifications/failures',
    may: 'aqv',
    path: under('/notifications/failures'),
    done: 200,
  },
  {
    name: 'POST /v1/orgs/:org/notifications/failures/:delivery/resend',
    may: 'aq',
    path: ({ org, delivery }) => `/orgs/${org}/notifications/failures/${delivery}/resend`,
    body: of({}),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/events', may: 'aqv', path: under('/events'), done: 200 },
  { name: 'GET /v1/orgs/:org/events.csv', may: 'aqv', path: under('/events.csv'), done: 200 },
  { name: 'GET /v1/orgs/:org/audit.csv', may: 'aqv', path: under('/audit.csv'), done: 200 },
  { name: 'GET /v1/orgs/:org/audit', may: 'aqv', path: under('/audit'), done: 200 },
  { name: 'GET /v1/orgs/:org/keys', may: 'aqv', path: under('/keys'), done: 200 },
  { name: 'POST /v1/orgs/:org/keys', may: 'a', path: under('/keys'), body: of({ user: 'ann' }), done: 201 },
  {
    name: 'DELETE /v1/orgs/:org/keys/:key',
    may: 'a',
    path: ({ org, key }) => `/orgs/${org}/keys/${key}`,
    done: 204,
  },
  ...scimEndpoints(),
  { name: 'GET /v1/tokens', may: 'a', path: () => '/tokens', done: 200, elsewhere: 200 },
  {
    name: 'POST /v1/tokens',
    may: 'a',
    path: () => '/tokens',
    body: ({ org }) => ({ name: 'new', role: 'viewer', orgs: [org] }),
    done: 201,
    elsewhere: 422,
  },
  {
    name: 'DELETE /v1/tokens/:token',
    may: 'a',
    path: ({ token }) => `/tokens/${token}`,
    done: 204,
    elsewhere: 404,
  },
  { name: 'GET /v1/audit', may: 'a', path: () => '/audit', done: 200 },
  { name: 'GET /v1/audit.csv', may: 'a', path: () => '/audit.csv', done: 200 },
];

function scimEndpoints(): Endpoint[] {
  const scim = (name: string, rest: string, more: Partial<Endpoint> = {}): Endpoint => {
    const [method = '', path = ''] = name.split(' ');
    const may = method === 'GET' || more.reads ? 'aqvs' : 'aqs';
    const full = `${method} /v1/orgs/:org/scim/v2${path}`;
    return { name: full, may, path: under(`/scim/v2${rest}`), done: 200, ...more };
  };
  const patch = of({ Operations: [{ op: 'replace', value: { displayName: 'New' } }] });
  const kinds = [
    { path: '/Users', id: 'ann', body: { userName: 'ann' }, added: { userName: 'eve' }, patched: 200 },
    { path: '/Groups', id: 'eng', body: { displayName: 'E' }, added: { displayName: 'E' }, patched: 204 },
  ];
  return [
    scim('GET /ServiceProviderConfig', '/ServiceProviderConfig'),
    ...['ResourceTypes', 'Schemas'].map((name) => scim(`GET /${name}`, `/${name}`)),
    scim('GET /ResourceTypes/:id', '/ResourceTypes/User'),
    scim('GET /Schemas/:id', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User'),
    ...kinds.flatMap(({ path, id, body, added, patched }) => [
      scim(`GET ${path}`, path),
      scim(`GET ${path}/:id`, `${path}/${id}`),
      scim(`POST ${path}/.search`, `${path}/.search`, { body: of({ count: 1 }), reads: true }),
      scim(`POST ${path}`, path, { body: of(added), done: 201 }),
      scim(`PUT ${path}/:id`, `${path}/${id}`, { body: of(body) }),
      scim(`PATCH ${path}/:id`, `${path}/${id}`, { body: patch, done: patched }),
      scim(`DELETE ${path}/:id`, `${path}/${id}`, { done: 204 }),
    ]),
  ];
}

async function tokenOf(ledger: Ledger, role: Role, orgs: Orgs): Promise<{ id: string; text: string }> {
  const token = { name: role, role, orgs, expiresAt: 0 };
  const author = { who: 'test', reason: undefined };
  return addToken({ ledger, mutex: new KeyedMutex() }, { author, token });
}

let orgs = 0;

/** An org where everything is that the requests name. */
async function seedAll({ ledger, send, reserve }: Bench): Promise<There> {
  orgs += 1;
  const org = `org-${orgs}`;
  await createOrg(ledger, {
    id: org,
    seed: { ...ACME, limits: [{ user: 'ann', quota: 'ai', units: 50 }] },
    quotas: QUOTAS,
  });
  await send('POST', `/orgs/${org}/limits/ai:u:ann/raise`, RAISE);
  await reserve(org, 'bob', { ai: 1 }, 'h1');
  const { id: key } = (await send('POST', `/orgs/${org}/keys`, { user: 'ann' })).body;
  const { id: token } = await tokenOf(ledger, 'viewer', [org]);
  const { webhook, delivery } = await addDelivery(ledger, org);
  return { org, key, token, webhook, delivery };
}

/** By these a change shows: it raises a version, or leaves an audit entry. */
async function versions(ledger: Ledger, org: string): Promise<(number | string | undefined)[]> {
  const [last] = await ledger.logBack(org, 'audit', '', 1);
  return [(await ledger.read(org, [])).version, (await ledger.read(TOKEN_ORG, [])).version, last?.id];
}

interface Cell {
  readonly endpoint: Endpoint;
  readonly role: Role;
  readonly scope: 'own' | 'elsewhere' | 'all';
}

/** Status and code that a cell is answered with; for allowed ones no code. */
function expected({ endpoint, role, scope }: Cell): [number, string?] {
  const inPath = endpoint.name.includes('/:org');
  if (inPath && scope === 'elsewhere') return [404, 'not-found'];
  if (!endpoint.may.includes(role.charAt(0))) return [403, 'token-forbidden'];
  if (endpoint.name.startsWith('GET /v1/audit') && scope !== 'all') return [403, 'token-forbidden'];
  const status = scope === 'elsewhere' ? (endpoint.elsewhere ?? endpoint.done) : endpoint.done;
  return status === 404 ? [404, 'not-found'] : status === 422 ? [422, 'input-invalid'] : [status];
}

function snapshot({ status, body }: Answer): [number, string?] {
  return status < 400 ? [status] : [status, body.code];
}

async function tryCell(t: Test, bench: Bench, cell: Cell): Promise<void> {
  const { ledger, send } = bench;
  const { endpoint, role, scope } = cell;
  const there = await seedAll(bench);
  const token = await tokenOf(
    ledger,
    role,
    scope === 'all' ? 'all' : [scope === 'own' ? there.org : 'another'],
  );
  const [method = ''] = endpoint.name.split(' ');
  const before = await versions(ledger, there.org);
  const path = endpoint.path(there);
  const answer = await send(method, path, endpoint.body?.(there), bearer(token.text));
  const what = `${endpoint.name} by ${role}, ${scope}`;
  t.same(snapshot(answer), expected(cell), what);
  const changed = (await versions(ledger, there.org)).join() !== before.join();
  const writes = method !== 'GET' && endpoint.reads !== true;
  t.equal(changed, answer.status < 400 && writes, `${what}: ${changed ? 'changes' : 'no change'}`);
  if (scope === 'elsewhere' && endpoint.name !== 'POST /v1/tokens')
    t.notMatch(JSON.stringify(answer.body?.items ?? ''), there.org, `${what}: reveals nothing of the org`);
  if (method === 'GET') {
    const { status } = await send('HEAD', path, undefined, bearer(token.text));
    t.equal(status, answer.status, `${what}: HEAD as GET`);
  }
}

t.test('every cell of the role table', async (t) => {
  const bench = await startAdmin(t);
  await createOrg(bench.ledger, { id: 'another', seed: ACME, quotas: QUOTAS });
  for (const endpoint of ENDPOINTS)
    for (const role of ROLES)
      for (const scope of ['own', 'elsewhere', 'all'] as const)
        await tryCell(t, bench, { endpoint, role, scope });
});

t.test('every write honours If-Match: a stale one changes nothing', async (t) => {
  const bench = await startAdmin(t);
  for (const endpoint of ENDPOINTS.filter(({ name }) => !name.startsWith('GET '))) {
    const there = await seedAll(bench);
    const [method = ''] = endpoint.name.split(' ');
    const before = await versions(bench.ledger, there.org);
    const stale = { 'if-match': '"stale"' };
    const answer = await bench.send(method, endpoint.path(there), endpoint.body?.(there), stale);
    t.same(snapshot(answer), [412, 'version-stale'], endpoint.name);
    t.same(await versions(bench.ledger, there.org), before, `${endpoint.name} changes nothing`);
  }
});

/** The description of the API, which is the same for everybody. */
const PUBLIC = /^\/v1\/(openapi\.json$|docs(\/|$))/;

t.test('every route is in the table, and every row has a route and a test', async (t) => {
  const ledger = await openEmbedded({ clock: () => NOON });
  const app = buildAdmin({ ledger, quotas: QUOTAS });
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD' && !PUBLIC.test(url)) routes.add(`${one} ${url}`);
  });
  await app.ready();
  t.same([...routes].sort(), Object.keys(ROLE_TABLE).sort());
  t.same(ENDPOINTS.map(({ name }) => name).sort(), Object.keys(ROLE_TABLE).sort());
  await app.close();
});

t.test('an org that a token does not reach is answered as one that is not there', async (t) => {
  const { ledger, send } = await startAdmin(t);
  for (const org of ['acme', 'globex']) await createOrg(ledger, { id: org, seed: ACME, quotas: QUOTAS });
  const by = bearer((await tokenOf(ledger, 'admin', ['acme'])).text);
  const paths = ['', '/overview', '/users/ann', '/users/nobody', '/nothing', '/limits?pageSize=x'];
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
    for (const path of paths) {
      const [present, absent] = await Promise.all(
        ['globex', 'globey'].map((org) =>
          send(method, `/orgs/${org}${path}`, method === 'GET' ? undefined : {}, by),
        ),
      );
      const text = JSON.stringify({ ...present?.body, instance: '' }).replaceAll('globex', 'globey');
      t.same(JSON.parse(text), { ...absent?.body, instance: '' }, `${method} ${path}`);
      // 405 depends on the form of the path alone: it is the same for every org.
      const route = `/v1/orgs/:org${path.replace(/\?.*/, '').replace(/^\/users\/.*/, '/users/:user')}`;
      const methodExists = path === '/nothing' || ROLE_TABLE[`${method} ${route}`] !== undefined;
      t.equal(present?.status, methodExists ? 404 : 405, `${method} ${path}`);
    }
  t.same(
    (await send('GET', '/orgs', undefined, by)).body.items.map((one: { id: string }) => one.id),
    ['acme'],
  );
  t.same((await send('GET', '/orgs?q=globex', undefined, by)).body.items, []);
  for (const path of ['/orgs/globe%78', '/orgs/acme%2F..%2Fglobex', '/orgs/acme/../globex', '/orgs/ACME'])
    t.equal((await send('GET', path, undefined, by)).status, 404, path);
  t.equal((await send('GET', '/orgs/%61cme', undefined, by)).status, 200, 'another spelling of its own');
});
