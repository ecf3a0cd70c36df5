// Nothing is shown or done without the token, and every error is a problem of the catalogue.
import t from 'tap';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { type Ledger, StoreError } from '../../src/ledger/port.js';
import { headerOf, RawClient } from '../support/raw.js';
import { ACME, bearer, problem, QUOTAS, startAcme, startAdmin, TOKEN } from './support.js';

t.test('every path below /v1 wants the token', async (t) => {
  const { url, send } = await startAcme(t);
  const paths = ['/orgs', '/orgs/acme', '/orgs/acme/overview', '/orgs/acme/limits', '/nothing'];
  for (const path of paths) {
    const none = await fetch(`${url}/v1${path}`);
    t.equal(none.status, 401, path);
    t.equal(none.headers.get('www-authenticate'), 'Bearer');
    t.match(none.headers.get('content-type'), /^application\/problem\+json/);
    t.match(await none.json(), { code: 'token-missing', title: CATALOGUE['token-missing'].title });
    const wrong = await send('GET', path, undefined, { authorization: 'Bearer a-token-for-test' });
    t.same(problem(wrong), [401, 'token-invalid'], path);
  }
  for (const authorization of [TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`, 'Bearer '])
    t.equal((await send('GET', '/orgs', undefined, { authorization })).status, 401, authorization);
  t.equal((await send('GET', '/orgs', undefined, { authorization: `bearer ${TOKEN}` })).status, 200);
});

t.test('paths that are not there', async (t) => {
  const { send, url } = await startAcme(t);
  for (const path of [
    '/nothing',
    '/orgs/nobody',
    '/orgs/acme/nothing',
    '/orgs/bad%20id',
    '/orgs/%F0%9F%98%80',
  ])
    t.same(problem(await send('GET', path)), [404, 'not-found'], path);
  const outside = await fetch(`${url}/nothing`);
  t.equal(outside.status, 404);
  await outside.arrayBuffer();
  t.same(problem(await send('GET', '/orgs/%zz')), [400, 'request-malformed']);
});

t.test('bytes that are no request, as problems too', async (t) => {
  const { url } = await startAcme(t);
  const port = Number(new URL(url).port);
  const host = `host: a\r\nauthorization: Bearer ${TOKEN}\r\n`;
  const cases: [string, number, string][] = [
    ['\x16\x03\x01\x02\x00\x01\x00', 400, 'request-malformed'],
    ['GET /v1/orgs\r\n\r\n', 400, 'request-malformed'],
    [`GET /v1/orgs HTTP/1.1\r\n${host}bad header\r\n\r\n`, 400, 'request-malformed'],
    [`GET /v1/orgs HTTP/1.1\r\n${host}x: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    [`GET /v1/orgs HTTP/1.1\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`, 400, 'request-malformed'],
    [`GET /v1/orgs/%zz HTTP/1.1\r\n${host}\r\n`, 400, 'request-malformed'],
  ];
  for (const [bytes, status, code] of cases) {
    const client = await RawClient.connect(port);
    const answer = await client.write(bytes).answer();
    const what = JSON.stringify(bytes.slice(0, 40));
    t.equal(answer.status, status, what);
    t.match(headerOf(answer.rawHeaders, 'content-type'), /^application\/problem\+json/, what);
    t.match(JSON.parse(answer.body.toString()), { code, status, instance: /^urn:uuid:/ }, what);
    client.socket.destroy();
  }
});

t.test(
  'bytes behind a request that is not answered yet end the connection without an answer of theirs',
  async (t) => {
    const gate = gateOf();
    const { ledger, url } = await startAdmin(t, (memory) => {
      const orgs = async (): Promise<string[]> => {
        await gate.wait();
        return memory.orgs();
      };
      return Object.assign(Object.create(memory), { orgs });
    });
    await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
    const client = await RawClient.connect(Number(new URL(url).port));
    client.write(`GET /v1/orgs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`);
    await gate.reached;
    client.write('no request at all\r\n\r\n');
    t.equal((await client.untilClosed()).length, 0);
    gate.open();
  },
);

t.test('what comes after the order to close is refused, what was under way is answered', async (t) => {
  const gate = gateOf();
  const memory = await openEmbedded();
  const orgs = async (): Promise<string[]> => {
    await gate.wait();
    return memory.orgs();
  };
  const ledger: Ledger = Object.assign(Object.create(memory), { orgs });
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const client = await RawClient.connect(Number(new URL(url).port));
  const request = `GET /v1/orgs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`;
  client.write(request);
  await gate.reached;
  const closed = app.close();
  // All is in this process: what is written now is read in a later turn than the one that begins to close.
  client.write(request);
  await new Promise((resolve) => setImmediate(resolve));
  gate.open();
  t.equal((await client.answer()).status, 200);
  const late = await client.answer();
  t.equal(late.status, 503);
  t.match(JSON.parse(late.body.toString()), { code: 'shutting-down' });
  await closed;
});

t.test('nothing that this server does is deprecated', async (t) => {
  const warnings: string[] = [];
  const note = (warning: Error): void => {
    warnings.push(warning.message);
  };
  process.on('warning', note);
  const { send } = await startAcme(t);
  await send('GET', '/orgs');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  t.same(warnings, []);
});

t.test('bodies that cannot be read', async (t) => {
  const { send } = await startAcme(t);
  const path = '/orgs/acme/users';
  t.same(problem(await send('POST', path, '{"id":')), [400, 'request-malformed']);
  t.same(problem(await send('POST', path, '{"__proto__":{"a":1},"id":"x"}')), [400, 'request-malformed']);
  t.same(problem(await send('POST', path, '')), [422, 'input-invalid', 'body']);
  t.same(problem(await send('POST', path, '[]')), [422, 'input-invalid', 'body']);
  t.same(problem(await send('POST', path, 'id=x', { 'content-type': 'text/plain' })), [415, 'body-not-json']);
  t.same(problem(await send('POST', path, { id: 'x'.repeat(300_000) })), [413, 'body-too-large']);
});

t.test('wrong types and unknown members are named', async (t) => {
  const { send } = await startAcme(t);
  const body = { id: 7, nmae: 'Ann', status: 'gone', groups: 'eng' };
  const answer = await send('POST', '/orgs/acme/users', body);
  t.same(problem(answer), [422, 'input-invalid', 'nmae', 'id', 'status', 'groups']);
  t.match(answer.body.detail, /nmae: unknown field/);
  const lone = '{"id":"x","name":"\\ud800"}';
  t.same(problem(await send('POST', '/orgs/acme/users', lone)), [422, 'input-invalid', 'name']);
  t.same(problem(await send('GET', '/orgs/acme/users?pagesize=3')), [422, 'input-invalid', 'pagesize']);
  t.same(problem(await send('GET', '/orgs/acme/users?pageSize=0')), [422, 'input-invalid', 'pageSize']);
  t.same(problem(await send('GET', '/orgs/acme/users?sort=shoe')), [422, 'input-invalid', 'sort']);
  t.same(problem(await send('GET', '/orgs/acme/users?cursor=e30')), [422, 'input-invalid', 'cursor']);
  t.same(problem(await send('GET', '/orgs/acme/users?q=a&q=b')), [422, 'input-invalid', 'q']);
});

t.test('an empty body under a JSON type is no body', async (t) => {
  const { send } = await startAcme(t);
  const json = { 'content-type': 'application/json' };
  t.equal((await send('PUT', '/orgs/acme/groups/ops/members/ann', '', json)).status, 204);
  t.equal((await send('DELETE', '/orgs/acme/groups/ops/members/ann', '', json)).status, 204);
});

t.test('a store that is down or busy', async (t) => {
  let down = false;
  let busy = 0;
  const { ledger, send } = await startAdmin(t, (memory) => {
    const commit: typeof memory.commit = async (org, change) => {
      if (down) throw new StoreError('no answer', 'unknown');
      if (busy > 0) {
        busy -= 1;
        await memory.commit(org, { version: change.version, changes: [], audit: '' });
      }
      return memory.commit(org, change);
    };
    return Object.assign(Object.create(memory), { commit });
  });
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  busy = 7;
  t.equal((await send('POST', '/orgs/acme/groups', { id: 'g1' })).status, 201, 'tried again');
  busy = 8;
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g2' })), [503, 'store-busy']);
  t.equal((await send('GET', '/orgs/acme/groups/g2')).status, 404, 'nothing was made');
  busy = 0;
  down = true;
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g2' })), [503, 'store-unavailable']);
});

t.test('what a store that is down means for a request: a read changed nothing', async (t) => {
  let down = false;
  const { ledger, send } = await startAdmin(t, (memory) => {
    const names = ['read', 'scan', 'orgs', 'logBack'] as const;
    const failing = names.map((name) => {
      const known = memory[name].bind(memory) as (...wanted: unknown[]) => Promise<unknown>;
      const call = async (...wanted: unknown[]) => {
        if (down) throw new StoreError('no answer', 'unknown');
        return known(...wanted);
      };
      return [name, call];
    });
    return Object.assign(Object.create(memory), Object.fromEntries(failing));
  });
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const { token } = (await send('POST', '/tokens', { name: 'bot', role: 'admin', orgs: 'all' })).body;
  down = true;
  const detailOf = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const answer = await send(method, path, body, headers);
    t.equal(answer.body.code, 'store-unavailable', `${method} ${path}`);
    return answer.body.detail;
  };
  const reads = [
    '/orgs',
    '/orgs/acme',
    '/orgs/acme/users',
    '/orgs/acme/limits/ai:u:ann',
    '/tokens',
    '/audit',
  ];
  for (const path of reads) t.match(await detailOf('GET', path), /^The store could not be read; /, path);
  t.match(
    await detailOf('GET', '/orgs', undefined, bearer(token)),
    /^The store could not be read to look up/,
  );
  const limit = { user: 'ann', quota: 'ai', units: 5 };
  t.match(await detailOf('POST', '/orgs/acme/limits?dryRun=true', limit), /^The store could not be read; /);
  t.match(await detailOf('POST', '/orgs/acme/limits', limit), /the change may have been made$/);
});

/** Holds up what comes to it until it is opened. */
function gateOf() {
  let open = (): void => undefined;
  let reach = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const wait = (): Promise<void> => {
    reach();
    return opened;
  };
  return { wait, reached, open };
}

t.test('a path with another method: 405, and which it has', async (t) => {
  const { send, url } = await startAcme(t);
  const cases: [method: string, path: string, allow: string][] = [
    ['PATCH', '/orgs/acme/limits', 'GET, HEAD, POST'],
    ['POST', '/orgs/acme/limits/usage:u:ann', 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/orgs/acme/plans/usage?reason=x', 'GET, HEAD, PUT'],
    ['PUT', '/orgs', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of cases) {
    const answer = await send(method as 'PUT', path, undefined);
    t.match(answer, { status: 405, body: { code: 'method-not-allowed' } }, `${method} ${path}`);
    t.equal(answer.headers.get('allow'), allow, path);
  }
  t.match(await send('PUT', '/orgs/acme/nothing', {}), { status: 404, body: { code: 'not-found' } });
  const anonymous = await fetch(`${url}/v1/orgs`, { method: 'PUT' });
  t.equal(anonymous.status, 401, 'which paths there are is snapshot to tokens only');
  await anonymous.arrayBuffer();
});

t.test('an unknown name in a query is reported with the known ones', async (t) => {
  const { send } = await startAcme(t);
  const { body } = await send('GET', '/orgs/acme/limits?scpoe=user');
  t.match(body.detail, /scpoe: unknown field; known fields: cursor, pageSize, sort, q, quota, scope/);
});
