/**
 * One request for each endpoint of the admin API: with its roles, and what it answers. Every endpoint has a row: the tests of roles,
 * of the audit log and of bad input go through this table.
 */
import type { Orgs, Role } from '../../src/admin/access/roles.js';
import { createOrg } from '../../src/admin/index.js';
import { addToken, TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { KeyedMutex } from '../../src/admin/writes/keyed-mutex.js';
import type { Ledger } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { ACME, addDelivery, addRaiseRequest, type Bench, CONSOLE, QUOTAS } from './support.js';

/** What a cell's request may name: it is all there in the org under test. */
export interface There {
  readonly org: string;
  readonly key: string;
  readonly token: string;
  readonly tokenText: string;
  readonly webhook: string;
  readonly delivery: string;
}

export interface EndpointRequest {
  /** As the role table has it. */
  readonly name: string;
  /** The roles that may: `a`dmin, `q`uota-manager, `v`iewer, `s`cim. Stated here once more, so that the table does not check itself. */
  readonly may: string;
  readonly path: (there: There) => string;
  readonly body?: (there: There) => unknown;
  /** Status where it is allowed; for a token of another org, where that is not the 404 of an org that is not there. */
  readonly done: number;
  readonly headers?: Record<string, string>;
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

export const REQUESTS: readonly EndpointRequest[] = [
  { name: 'GET /v1/orgs', may: 'aqv', path: () => '/orgs', done: 200, elsewhere: 200 },
  { name: 'GET /v1/orgs/:org', may: 'aqv', path: under(''), done: 200 },
  { name: 'PUT /v1/orgs/:org', may: 'a', path: under(''), body: of({ cycle: CYCLE, seats: 9 }), done: 200 },
  { name: 'DELETE /v1/orgs/:org', may: 'a', path: under(''), done: 204 },
  {
    name: 'POST /v1/orgs/:org/restore',
    may: 'a',
    path: under('/restore'),
    body: of({ reason: 'x' }),
    done: 200,
    // The org is open: there is nothing to undo. plan-changes.test.ts has the rest.
    reads: true,
  },
  { name: 'GET /v1/orgs/:org/plans', may: 'aqv', path: under('/plans'), done: 200 },
  { name: 'GET /v1/orgs/:org/plans/:quota', may: 'aqv', path: under('/plans/ai'), done: 200 },
  { name: 'GET /v1/orgs/:org/plans/:quota/history', may: 'aqv', path: under('/plans/ai/history'), done: 200 },
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
  {
    name: 'POST /v1/orgs/:org/limits/bulk',
    may: 'aq',
    path: under('/limits/bulk'),
    body: of({ limits: [{ user: 'ann', quota: 'ai', units: 9 }] }),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/raise-requests', may: 'aqv', path: under('/raise-requests'), done: 200 },
  {
    name: 'POST /v1/orgs/:org/raise-requests/:limit/answer',
    may: 'aq',
    path: under('/raise-requests/ai:u:ann/answer'),
    body: of({ answer: 'declined' }),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/usage', may: 'aqv', path: under('/usage'), done: 200 },
  {
    name: 'GET /v1/orgs/:org/usage/history',
    may: 'aqv',
    path: under('/usage/history?period=7d'),
    done: 200,
  },
  {
    name: 'GET /v1/orgs/:org/usage/history.csv',
    may: 'aqv',
    path: under('/usage/history.csv?period=7d'),
    done: 200,
  },
  {
    name: 'GET /v1/orgs/:org/explain',
    may: 'aqv',
    path: under('/explain?user=ann'),
    done: 200,
  },
  { name: 'GET /v1/orgs/:org/changes', may: 'aqv', path: under('/changes'), done: 200 },
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
  { name: 'GET /v1/orgs/:org/export', may: 'a', path: under('/export'), done: 200 },
  {
    name: 'POST /v1/orgs/:org/apply',
    may: 'a',
    path: under('/apply'),
    body: of({ name: 'New' }),
    done: 200,
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
  { name: 'GET /v1/login', may: 'aqvs', path: () => '/login', done: 200 },
  {
    name: 'POST /v1/session',
    may: 'aqvs',
    path: () => '/session',
    body: ({ tokenText }) => ({ token: tokenText }),
    done: 200,
    headers: CONSOLE,
  },
  { name: 'GET /v1/session', may: 'aqvs', path: () => '/session', done: 200 },
  // A token has no session. sessions.test.ts has the rest.
  { name: 'DELETE /v1/session', may: 'aqvs', path: () => '/session', done: 404 },
  { name: 'GET /v1/audit', may: 'a', path: () => '/audit', done: 200 },
  { name: 'GET /v1/audit.csv', may: 'a', path: () => '/audit.csv', done: 200 },
];

function scimEndpoints(): EndpointRequest[] {
  const scim = (name: string, rest: string, more: Partial<EndpointRequest> = {}): EndpointRequest => {
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

export async function tokenOf(ledger: Ledger, role: Role, orgs: Orgs): Promise<{ id: string; text: string }> {
  const token = { name: role, role, orgs, expiresAt: 0 };
  const author = { who: 'test', reason: undefined };
  return addToken({ ledger, mutex: new KeyedMutex() }, { author, token });
}

let orgs = 0;

/** An org where everything is that the requests name. */
export async function seedAll({ ledger, send, reserve }: Bench): Promise<There> {
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
  const { id: token, text: tokenText } = await tokenOf(ledger, 'viewer', [org]);
  const { webhook, delivery } = await addDelivery(ledger, org);
  await addRaiseRequest(ledger, org);
  return { org, key, token, tokenText, webhook, delivery };
}

/** What a request leaves: versions of the org, records of the tokens, and audit entries of both, without those of logins. */
export interface Traces {
  readonly version: number;
  readonly tokens: readonly string[];
  readonly entries: number;
}

const ENTRIES_MAX = 100_000;

export async function tracesOf(ledger: Ledger, org: string): Promise<Traces> {
  const { version } = await ledger.read(org, []);
  const tokens = await scanAll(ledger, TOKEN_ORG, 'records');
  const logs = await Promise.all([org, TOKEN_ORG].map((id) => ledger.logBack(id, 'audit', '', ENTRIES_MAX)));
  const entries = logs.flat().filter(({ text }) => !text.includes('"action":"login.succeed"'));
  const ids = [...tokens.keys()].filter((field) => !field.startsWith('login:')).sort();
  return { version, tokens: ids, entries: entries.length };
}
