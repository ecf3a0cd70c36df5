// Every endpoint with every role, for its own org, another org and all orgs: allowed calls succeed; refused calls
// change nothing and reveal nothing.
import t, { type Test } from 'tap';
import { ROLES, type Role } from '../../src/admin/access/roles.js';
import { ENDPOINTS, ROLE_TABLE } from '../../src/admin/endpoints.js';
import { openApiOf } from '../../src/admin/http/openapi.js';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { type EndpointRequest, REQUESTS, seedAll, type There, tokenOf, tracesOf } from './requests.js';
import { ACME, type Answer, type Bench, bearer, NOON, QUOTAS, startAdmin } from './support.js';

interface Cell {
  readonly endpoint: EndpointRequest;
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

/** What cells are tried on: an org until a cell changes it, and a token for each role and scope. */
class Ground {
  private there: There | undefined;
  private readonly tokens = new Map<string, string>();

  constructor(readonly bench: Bench) {}

  async seeded(): Promise<There> {
    this.there ??= await seedAll(this.bench);
    return this.there;
  }

  async token({ role, scope }: Cell): Promise<string> {
    const { org } = await this.seeded();
    const orgs = scope === 'all' ? 'all' : [scope === 'own' ? org : 'another'];
    const key = `${role} ${orgs}`;
    const text = this.tokens.get(key) ?? (await tokenOf(this.bench.ledger, role, orgs)).text;
    this.tokens.set(key, text);
    return text;
  }

  changed(): void {
    this.there = undefined;
    this.tokens.clear();
  }
}

async function tryCell(t: Test, ground: Ground, cell: Cell): Promise<void> {
  const { ledger, send } = ground.bench;
  const { endpoint, role, scope } = cell;
  const there = await ground.seeded();
  const by = bearer(await ground.token(cell));
  const [method = ''] = endpoint.name.split(' ');
  const before = await tracesOf(ledger, there.org);
  const path = endpoint.path(there);
  const headers = { ...by, ...endpoint.headers };
  const answer = await send(method, path, endpoint.body?.(there), headers);
  const what = `${endpoint.name} by ${role}, ${scope}`;
  t.same(snapshot(answer), expected(cell), what);
  const after = await tracesOf(ledger, there.org);
  const writes = answer.status < 400 && method !== 'GET' && endpoint.reads !== true;
  t.equal(after.entries - before.entries, writes ? 1 : 0, `${what}: audit entries`);
  if (writes) ground.changed();
  else t.same(after, before, `${what}: changes nothing`);
  if (scope === 'elsewhere' && endpoint.name !== 'POST /v1/tokens')
    t.notMatch(JSON.stringify(answer.body?.items ?? ''), there.org, `${what}: reveals nothing of the org`);
  if (method === 'GET') {
    const { status } = await send('HEAD', path, undefined, by);
    t.equal(status, answer.status, `${what}: HEAD as GET`);
  }
}

t.test('every cell of the role table', async (t) => {
  const ground = new Ground(await startAdmin(t));
  await createOrg(ground.bench.ledger, { id: 'another', seed: ACME, quotas: QUOTAS });
  for (const endpoint of REQUESTS)
    for (const role of ROLES)
      for (const scope of ['own', 'elsewhere', 'all'] as const)
        await tryCell(t, ground, { endpoint, role, scope });
});

t.test('every write honours If-Match: a stale one changes nothing', async (t) => {
  const bench = await startAdmin(t);
  for (const endpoint of REQUESTS.filter(({ name }) => !name.startsWith('GET '))) {
    const there = await seedAll(bench);
    const [method = ''] = endpoint.name.split(' ');
    const before = await tracesOf(bench.ledger, there.org);
    const stale = { 'if-match': '"stale"' };
    const answer = await bench.send(method, endpoint.path(there), endpoint.body?.(there), stale);
    t.same(snapshot(answer), [412, 'version-stale'], endpoint.name);
    t.same(await tracesOf(bench.ledger, there.org), before, `${endpoint.name} changes nothing`);
  }
});

t.test('every operation of the OpenAPI document has a row here', async (t) => {
  const operations = Object.entries(openApiOf(ENDPOINTS).paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const rows = new Set(REQUESTS.map(({ name }) => name));
  for (const name of operations)
    if (!rows.has(name))
      t.fail(`${name} has no row in test/admin/requests.ts: add one, with the roles that may call it`);
  for (const name of rows)
    if (!operations.includes(name)) t.fail(`${name} has a row in test/admin/requests.ts, and no declaration`);
});

/** The description of the API and the console's page, which are the same for everybody. */
const PUBLIC = /^\/v1\/(openapi\.json$|docs(\/|$))|^\/(console(\/\*)?)?$/;

t.test('every route is declared as an endpoint', async (t) => {
  const ledger = await openEmbedded({ clock: () => NOON });
  const app = buildAdmin({ ledger, quotas: QUOTAS });
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD' && !PUBLIC.test(url)) routes.add(`${one} ${url}`);
  });
  await app.ready();
  t.same([...routes].sort(), Object.keys(ROLE_TABLE).sort());
  await app.close();
});

t.test('a failed login leaves one audit entry, without the secret; a flood is bounded', async (t) => {
  const { send } = await startAdmin(t);
  const failed = async () => (await send('GET', '/audit?action=login.fail&pageSize=200')).body.items;
  const forged = 'qga_AAAAAAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB';
  let before = 0;
  for (const authorization of [`Bearer ${forged}`, 'Bearer nothing', 'Basic cm9vdDpyb290']) {
    t.equal((await send('GET', '/orgs', undefined, { authorization })).status, 401);
    before += 1;
    t.equal((await failed()).length, before, authorization);
  }
  const items = await failed();
  t.match(items[2], { action: 'login.fail', who: 'token AAAAAAAAAAAAAAAA', subject: 'peer:127.0.0.1' });
  t.notMatch(JSON.stringify(items), /BBBB|nothing|cm9v/);
  const flood = { authorization: `Bearer ${forged}` };
  await Promise.all(Array.from({ length: 100 }, () => send('GET', '/orgs', undefined, flood)));
  t.ok((await failed()).length < before + 60, 'a flood is bounded');
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
