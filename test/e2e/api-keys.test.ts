// An API key admits its user, charges that user, never reaches the upstream, and is refused by every replica as soon as it is
// revoked.
import t from 'tap';
import { admin, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme_maps:
    cycle: { every: month, anchor: 1, timeZone: UTC }
    plans: { usage: { allowance: 100 } }
    users: { ana: {} }
`;

t.test('API keys with two replicas on one Redis', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS, identity: 'apiKeys: {}' };
  const replicas = [await startGateway(parts), await startGateway(parts)] as const;
  t.teardown(async () => {
    for (const replica of replicas) await replica.close();
    await upstream.close();
    await redis.stop();
  });
  const [first, second] = replicas;
  const made = await admin(first.admin, 'POST', '/orgs/acme_maps/keys', { user: 'ana', name: 'ci' });
  t.equal(made.status, 201);
  const { key, id } = made.body as { key: string; id: string };
  const headers = { authorization: `Bearer ${key}` };

  for (const replica of replicas) {
    const allowed = await ask(replica.gateway, '/v3/unit', { headers });
    t.equal(allowed.status, 200);
    t.match(allowed.headers.ratelimit, /"usage-org"/);
  }
  t.notOk(
    upstream.log.some((entry) => 'authorization' in entry.headers),
    'the key is not forwarded',
  );
  const me = await ask(second.gateway, '/quota/me', { headers });
  t.match(JSON.parse(me.body), { org: 'acme_maps', user: 'ana', quotas: { usage: { consumed: 2 } } });

  const forged = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`;
  const wrong = await ask(first.gateway, '/v3/unit', { headers: { authorization: `Bearer ${forged}` } });
  t.equal(wrong.status, 401);
  t.match(JSON.parse(wrong.body), { code: 'credential-invalid' });
  const none = await ask(first.gateway, '/v3/unit');
  t.equal(none.status, 401);

  const revoked = await admin(first.admin, 'DELETE', `/orgs/acme_maps/keys/${id}`);
  t.equal(revoked.status, 204);
  for (const replica of replicas) t.equal((await ask(replica.gateway, '/v3/unit', { headers })).status, 401);
  t.equal(upstream.log.length, 2, 'nothing is forwarded after the revocation');
});
