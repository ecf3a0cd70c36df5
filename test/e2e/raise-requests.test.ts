// A caller asks for a raise of a limit; it arrives as an event, and an admin answers it.
import t, { type Test } from 'tap';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 100 }, lds: { allowance: 100 } }
    groups: { eng: { name: Engineering }, ops: {} }
    users: { ana: { name: Ana, groups: [eng] }, ben: {} }
    limits:
      - { user: ana, quota: usage, units: 1 }
      - { group: eng, quota: lds, units: 5 }
`;
const PATH = '/quota/me/requests';

interface Listed {
  readonly items: readonly { readonly limit: string }[];
}

const ROUTES = `
  - { match: 'GET /v3/unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /quota/me/requests', identity: none, upstream: up, charges: [] }
`;

async function start(t: Test, { store = 'embedded', quotas = 'raiseRequests: true', routes = '' } = {}) {
  const redis = store === 'redis' ? await startRedis() : undefined;
  const upstream = await TestUpstream.start();
  const parts = { redis: redis?.url, upstream: upstream.url, orgs: ORGS, quotas };
  const gateways = [await startGateway({ ...parts, ...(routes === '' ? {} : { routes }) })];
  if (store === 'redis') gateways.push(await startGateway(parts));
  t.teardown(async () => {
    await Promise.all(gateways.map((one) => one.close()));
    await upstream.close();
    await redis?.stop();
  });
  const [first] = gateways;
  if (first === undefined) throw new Error('no gateway');
  const other = gateways.at(-1) ?? first;
  const send = async (user: string, body: unknown, from = first.gateway) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { ...as(user, 'acme'), 'content-type': 'application/json' };
    const answer = await ask(from, PATH, { method: 'POST', headers, body: text });
    return { status: answer.status, body: JSON.parse(answer.body), headers: answer.headers };
  };
  return { ...first, other, send, upstream };
}

for (const store of ['embedded', 'redis'])
  t.test(
    `one open request per limit (${store})`,
    { skip: store === 'redis' && skipWithoutRedis },
    async (t) => {
      const { gateway, admin: address, other, send } = await start(t, { store });
      await ask(gateway, '/v3/unit', { headers: as('ana', 'acme') });
      const refused = await ask(gateway, '/v3/unit', { headers: as('ana', 'acme') });
      t.equal(refused.status, 429);
      t.equal(JSON.parse(refused.body).raiseRequests, PATH, 'the refusal says where to ask');

      const body = { quota: 'usage', units: 2.5, reason: 'release <b>week</b>' };
      const answers = await Promise.all(
        [gateway, other.gateway, gateway, other.gateway].map((from) => send('ana', body, from)),
      );
      t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
      const made = answers.find(({ status }) => status === 201);
      t.match(made?.body, { limit: 'usage:u:ana', state: 'open' });
      const again = await send('ana', body, other.gateway);
      t.match(again.body, { code: 'raise-requested', limit: 'usage:u:ana', state: 'open' });
      t.equal((await send('ana', { quota: 'lds', group: 'eng' })).status, 201);

      const itemsOf = async (path: string) => ((await admin(address, 'GET', path)).body as Listed).items;
      const items = await itemsOf('/orgs/acme/events?kind=raise-request');
      t.match(items, [
        { kind: 'raise-request', scope: 'group', subject: 'eng', name: 'Engineering', user: 'ana', limit: 5 },
        {
          kind: 'raise-request',
          scope: 'user',
          subject: 'ana',
          name: 'Ana',
          quota: 'usage',
          limit: 1,
          consumed: 1,
          requested: 2.5,
          reason: 'release <b>week</b>',
        },
      ]);
      t.equal(items.length, 2, 'each request is one event');

      const answer = (limit: string, with_: object) =>
        admin(address, 'POST', `/orgs/acme/raise-requests/${limit}/answer`, with_);
      const raise = { units: 2.5, until: '2099-01-01T00:00:00Z' };
      const raised = await answer('usage:u:ana', { answer: 'raised', raise, reason: 'ok' });
      t.match(raised.body, { state: 'raised', units: 2.5, answeredBy: 'bootstrap', answer: 'ok' });
      t.equal((await ask(other.gateway, '/v3/unit', { headers: as('ana', 'acme') })).status, 200);
      t.equal((await answer('usage:u:ana', { answer: 'declined' })).status, 404, 'it is closed');
      t.match((await answer('lds:g:eng', { answer: 'declined', raise })).body, { code: 'input-invalid' });
      t.match((await answer('lds:g:eng', { answer: 'declined' })).body, { state: 'declined', answer: '' });
      t.match((await send('ana', body)).body, { code: 'raise-requested', state: 'raised' }, 'once a day');

      const listed = await itemsOf('/orgs/acme/raise-requests');
      t.same(listed.map(({ limit }) => limit).sort(), ['lds:g:eng', 'usage:u:ana']);
      t.same(await itemsOf('/orgs/acme/raise-requests?state=open'), []);
      t.match(await itemsOf('/orgs/acme/audit?action=raise-request'), [
        { subject: 'limit:lds:g:eng', to: { state: 'declined', raise: null } },
        { subject: 'limit:usage:u:ana', to: { state: 'raised', raise: { units: 2.5 } } },
      ]);

      t.equal((await admin(address, 'DELETE', '/orgs/acme/limits/usage:u:ana')).status, 204);
      t.equal((await admin(address, 'DELETE', '/orgs/acme/groups/eng')).status, 204);
      await admin(address, 'POST', '/orgs/acme/limits', { user: 'ana', quota: 'usage', units: 2 });
      t.equal((await send('ana', body)).status, 201, 'the request is deleted with its limit');
      const left = await itemsOf('/orgs/acme/raise-requests?sort=limit');
      t.same(
        left.map(({ limit }) => limit),
        ['usage:u:ana'],
        'also with its group',
      );
    },
  );

t.test('only for limits that apply to the caller, in the form that is documented', async (t) => {
  const { gateway, send } = await start(t);
  const code = async (user: string, body: unknown) => {
    const answer = await send(user, body);
    return [answer.status, answer.body.code];
  };
  t.same(await code('ben', { quota: 'usage' }), [404, 'not-found'], 'no limit of his own');
  t.same(await code('ben', { quota: 'lds', group: 'eng' }), [404, 'not-found'], 'not his group');
  t.same(await code('ana', { quota: 'nothing' }), [404, 'not-found']);
  t.same(await code('ana', { quota: '__proto__' }), [404, 'not-found']);
  const malformed = [400, 'request-malformed'];
  for (const body of [
    '',
    '[]',
    'null',
    '{',
    {},
    { quota: 5 },
    { quota: 'usage', units: '5' },
    { quota: 'usage', units: 0 },
    { quota: 'usage', units: -1 },
    { quota: 'usage', units: 0.25 },
    { quota: 'usage', units: 1e300 },
    { quota: 'usage', group: 5 },
    { quota: 'usage', reason: 'x'.repeat(501) },
    { quota: 'usage', reason: 'a\u202eb' },
    { quota: 'usage', reason: 'a\nb' },
    { quota: 'usage', more: 1 },
  ])
    t.same(await code('ana', body), malformed, JSON.stringify(body));
  const large = await send('ana', { quota: 'usage', reason: 'x'.repeat(5_000) });
  t.same([large.status, large.body.code, large.headers.connection], [413, 'body-too-large', 'close']);
  const anonymous = await ask(gateway, PATH, { method: 'POST', body: '{"quota":"usage"}' });
  t.equal(anonymous.status, 401);
  const me = await ask(gateway, '/quota/me', { headers: as('ana', 'acme') });
  t.equal(me.status, 200);
});

t.test('off by default: the path is a path like any other, and no refusal names it', async (t) => {
  const { gateway, send, upstream } = await start(t, { quotas: '', routes: ROUTES });
  await ask(gateway, '/v3/unit', { headers: as('ana', 'acme') });
  const refused = await ask(gateway, '/v3/unit', { headers: as('ana', 'acme') });
  t.equal(JSON.parse(refused.body).raiseRequests, undefined);
  const before = upstream.log.length;
  await send('ana', { quota: 'usage' }).catch(() => undefined);
  t.equal(upstream.log.length, before + 1);
});
