// Nothing is told or done without the token, and every error is a problem of the catalogue.
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { StoreError } from '../../src/ledger/port.js';
import { ACME, problem, QUOTAS, startAcme, startAdmin, TOKEN } from './support.js';

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
  t.equal((await fetch(`${url}/nothing`)).status, 404);
  t.same(problem(await send('GET', '/orgs/%zz')), [400, 'request-malformed']);
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
  t.match(answer.body.detail, /nmae: is not known here/);
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
  await createOrg(ledger, 'acme', ACME, QUOTAS);
  busy = 7;
  t.equal((await send('POST', '/orgs/acme/groups', { id: 'g1' })).status, 201, 'tried again');
  busy = 8;
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g2' })), [503, 'store-busy']);
  t.equal((await send('GET', '/orgs/acme/groups/g2')).status, 404, 'nothing was made');
  busy = 0;
  down = true;
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g2' })), [503, 'store-unavailable']);
});
