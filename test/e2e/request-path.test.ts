// On both ledgers, a request is forwarded and charged, or refused by a limit and not forwarded.
import t from 'tap';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    cycle: { every: month, anchor: 20, timeZone: Europe/Madrid }
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 } }
    groups: { engineering: {} }
    users: { ana: { groups: [engineering] } }
`;

for (const store of ['embedded', 'redis'] as const) {
  t.test(`the request path, ${store}`, { skip: store === 'redis' && skipWithoutRedis }, async (t) => {
    const redis = store === 'redis' ? await startRedis() : undefined;
    const upstream = await TestUpstream.start();
    const gateway = await startGateway({ redis: redis?.url, upstream: upstream.url, orgs: ORGS });
    t.teardown(async () => {
      await gateway.close();
      await upstream.close();
      await redis?.stop();
    });

    const first = await ask(gateway.gateway, '/v3/maps/4/8/5?x=1', { headers: as('ana') });
    t.equal(first.status, 200);
    t.match(first.headers.ratelimit, /^"usage-org";r=4999;t=\d+$/);
    t.match(first.headers['ratelimit-policy'], /^"usage-org";q=5000;qu="units";w=\d+$/);
    t.equal(upstream.log[0]?.target, '/v3/maps/4/8/5?x=1');
    t.notMatch(upstream.log[0]?.headers, { 'x-quota-user': 'ana' }, 'identity headers are not forwarded');

    const limit = await admin(gateway.admin, 'POST', '/orgs/acme/limits', {
      user: 'ana',
      quota: 'usage',
      units: 5,
    });
    t.equal(limit.status, 201);
    t.match(limit.body, { consumed: 0.1, remaining: 4.9 });

    const refused = await ask(gateway.gateway, '/v3/sql', { headers: as('ana') });
    t.equal(refused.status, 429);
    t.equal(refused.headers['content-type'], 'application/problem+json');
    t.equal(refused.headers['x-should-retry'], 'false');
    t.match(JSON.parse(refused.body), {
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      code: 'quota-exceeded',
      'violated-policies': ['usage-user'],
      quota: 'usage',
      scope: 'user',
      subject: 'ana',
      action: 'sql',
      limit: 5,
      consumed: 0.1,
      held: 0,
      requested: 10,
    });
    t.equal(upstream.log.length, 1, 'nothing is forwarded');

    const addresses = JSON.stringify({ addresses: ['a', 'b', 'c'] });
    const json = { ...as('ana'), 'content-type': 'application/json' };
    const rows = await ask(gateway.gateway, '/v3/lds/geocoding', {
      method: 'POST',
      headers: json,
      body: addresses,
    });
    t.equal(rows.status, 200);
    t.equal(upstream.log[1]?.body, addresses);
    const usage = await admin(gateway.admin, 'GET', '/orgs/acme/users/ana');
    t.match(usage.body, { quotas: { lds: { consumed: 3 }, usage: { consumed: 0.2 } } });

    const me = await ask(gateway.gateway, '/quota/me', { headers: as('ana') });
    t.equal(me.status, 200);
    t.match(JSON.parse(me.body), {
      user: 'ana',
      quotas: {
        usage: { consumed: 0.2, remaining: 4.8, limits: [{ scope: 'user', limit: 5 }, { scope: 'org' }] },
      },
    });

    const history = await ask(gateway.gateway, '/quota/me/history?period=7d', { headers: as('ana') });
    t.equal(history.status, 200);
    const { daily } = JSON.parse(history.body) as {
      daily: { quota: string; action: string; units: number }[];
    };
    const sum = (quota: string): number =>
      daily.reduce((all, row) => (row.quota === quota ? all + row.units : all), 0);
    t.same(
      { lds: sum('lds'), usage: sum('usage') },
      { lds: 3, usage: 0.2 },
      'the history to the last request',
    );
    t.equal((await ask(gateway.gateway, '/quota/me/history?period=8d', { headers: as('ana') })).status, 400);
  });
}
