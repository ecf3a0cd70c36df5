// `/quota/me` refuses exactly the callers whose requests would be refused, and asking changes nothing.
import t from 'tap';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORG =
  '{ cycle: { every: month, timeZone: UTC }, plans: { usage: { allowance: 100 } }, users: { ana: {}, ina: {}, rex: {} } }';
const ORGS = `
  acme: ${ORG}
  gone: ${ORG}
`;

for (const store of ['embedded', 'redis'] as const) {
  for (const unknownUsers of ['register', 'deny'] as const) {
    t.test(
      `${store}, unknownUsers: ${unknownUsers}`,
      { skip: store === 'redis' && skipWithoutRedis },
      async (t) => {
        const redis = store === 'redis' ? await startRedis() : undefined;
        const upstream = await TestUpstream.start();
        const gateway = await startGateway({
          redis: redis?.url,
          upstream: upstream.url,
          orgs: ORGS,
          unknownUsers,
        });
        t.teardown(async () => {
          await gateway.close();
          await upstream.close();
          await redis?.stop();
        });
        await admin(gateway.admin, 'DELETE', '/orgs/gone');
        await admin(gateway.admin, 'DELETE', '/orgs/acme/users/rex');
        await admin(gateway.admin, 'PATCH', '/orgs/acme/users/ina', { status: 'inactive' });
        const limit = { user: 'ana', quota: 'usage', units: 10 };
        const raise = { units: 5, until: '2099-01-01T00:00:00Z', reason: 'release week' };
        await admin(gateway.admin, 'POST', '/orgs/acme/limits', limit);
        await admin(gateway.admin, 'POST', '/orgs/acme/limits/usage:u:ana/raise', raise);
        const raised = await ask(gateway.gateway, '/quota/me', { headers: as('ana', 'acme') });
        t.match(JSON.parse(raised.body).quotas.usage, {
          remaining: 15,
          limits: [{ scope: 'user', limit: 15, raise: { units: 5, until: '2099-01-01T00:00:00.000Z' } }],
        });
        const cases = [
          ['ana', 'acme', 200],
          ['ana', 'gone', 'org-archived'],
          ['ina', 'acme', 'inactive-user'],
          ['rex', 'acme', 'inactive-user'],
          ['ana', 'nowhere', 'unknown-org'],
          ['zed', 'acme', unknownUsers === 'deny' ? 'unknown-user' : 200],
        ] as const;
        for (const [user, org, expected] of cases) {
          const headers = as(user, org);
          const me = await ask(gateway.gateway, '/quota/me', { headers });
          t.equal(me.status === 200 ? 200 : JSON.parse(me.body).code, expected, `${user} of ${org}`);
          if (user === 'zed') {
            const { status } = await admin(gateway.admin, 'GET', '/orgs/acme/users/zed');
            t.equal(status, 404, 'asking registers nobody');
          }
          const request = await ask(gateway.gateway, '/v3/unit', { headers });
          t.equal(request.status, me.status, 'as a request');
          if (me.status !== 200) t.equal(JSON.parse(request.body).code, expected);
        }
      },
    );
  }
}
