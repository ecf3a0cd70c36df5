// A cost known only from the response is held at an estimate and settled exactly once, however the response ends.
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    cycle: { every: month, anchor: 1, timeZone: UTC }
    plans: { usage: { allowance: 100 }, lds: { allowance: 100000 } }
`;
const ROUTES = `
  - match: GET /header
    action: header
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 5, floor: 0.5 }, { quota: lds, units: 1 }]
  - { match: GET /json, action: json, upstream: up, charges: [{ quota: usage, units: { responseJson: /usage/units }, hold: 5 }] }
  - { match: GET /bytes, action: bytes, upstream: up, charges: [{ quota: lds, units: { bytes: out }, hold: 10 }] }
`;

for (const store of ['embedded', 'redis'] as const) {
  t.test(`costs from responses, ${store}`, { skip: store === 'redis' && skipWithoutRedis }, async (t) => {
    const redis = store === 'redis' ? await startRedis() : undefined;
    let body: string | Buffer = '';
    const upstream = await TestUpstream.start({
      handler: (request, response) => {
        const { 'x-status': status = '200', 'x-upstream-cost': cost, 'x-coding': coding } = request.headers;
        if (cost !== undefined) response.setHeader('x-cost', cost);
        if (coding !== undefined) response.setHeader('content-encoding', coding);
        response.statusCode = Number(status);
        if (request.headers['x-cut'] === undefined) response.end(body);
        else {
          response.setHeader('content-length', 1_000);
          response.write('x'.repeat(10), () => setTimeout(() => response.destroy(), 20));
        }
      },
    });
    const gateway = await startGateway({
      redis: redis?.url,
      upstream: upstream.url,
      orgs: ORGS,
      routes: ROUTES,
    });
    t.teardown(async () => {
      await gateway.close();
      await upstream.close();
      await redis?.stop();
    });

    const figures = async (): Promise<Record<string, { consumed: number; held: number }>> => {
      const { body } = await admin(gateway.admin, 'GET', '/orgs/acme/usage');
      const { org } = body as { org: { quota: string; consumed: number; held: number }[] };
      return Object.fromEntries(org.map(({ quota, consumed, held }) => [quota, { consumed, held }]));
    };
    let usage = 0;
    let lds = 0;
    const costs = async (
      what: string,
      path: string,
      headers: Record<string, string>,
      usageBy: number,
      ldsBy: number,
    ) => {
      await ask(gateway.gateway, path, { headers: { ...as('ana'), ...headers } }).catch(() => undefined);
      usage = Math.round((usage + usageBy) * 10) / 10;
      lds += ldsBy;
      let now = await figures();
      for (let attempt = 0; attempt < 100 && (now.usage?.held !== 0 || now.lds?.held !== 0); attempt += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        now = await figures();
      }
      t.match(now, { usage: { consumed: usage, held: 0 }, lds: { consumed: lds, held: 0 } }, what);
    };

    await costs('a cost in a header', '/header', { 'x-upstream-cost': '2.3' }, 2.3, 1);
    await costs('more than the hold', '/header', { 'x-upstream-cost': '7' }, 7, 1);
    await costs('less than the floor', '/header', { 'x-upstream-cost': '0' }, 0.5, 1);
    await costs('more decimals are rounded up', '/header', { 'x-upstream-cost': '1.01' }, 1.1, 1);
    for (const bad of ['-1', 'NaN', 'free', '1e400', '9007199254740993'])
      await costs(`${bad} is no cost: the estimate`, '/header', { 'x-upstream-cost': bad }, 5, 1);
    await costs('no cost: the estimate', '/header', {}, 5, 1);
    await costs(
      'a status that does not count',
      '/header',
      { 'x-upstream-cost': '3', 'x-status': '500' },
      0,
      0,
    );
    await costs(
      'a truncated body: the cost in the header',
      '/header',
      { 'x-upstream-cost': '3', 'x-cut': '1' },
      3,
      1,
    );

    body = JSON.stringify({ usage: { units: 1.5 } });
    await costs('a number in the JSON', '/json', {}, 1.5, 0);
    body = gzipSync(body);
    await costs('the same, compressed', '/json', { 'x-coding': 'gzip' }, 1.5, 0);
    body = '{"usage":{"units":1,"units":2}}';
    await costs('a duplicate key: the estimate', '/json', {}, 5, 0);
    body = 'not JSON';
    await costs('invalid JSON: the estimate', '/json', {}, 5, 0);
    await costs('truncated JSON: the estimate', '/json', { 'x-cut': '1' }, 5, 0);

    body = 'x'.repeat(1_234);
    await costs('bytes', '/bytes', {}, 0, 1_234);
    await costs('bytes of a truncated body: the estimate', '/bytes', { 'x-cut': '1' }, 0, 10);

    await admin(gateway.admin, 'POST', '/orgs/acme/limits', { user: 'eva', quota: 'usage', units: 4 });
    await admin(gateway.admin, 'POST', '/orgs/acme/users', { id: 'eva' });
    await admin(gateway.admin, 'POST', '/orgs/acme/limits', { user: 'eva', quota: 'usage', units: 4 });
    const refused = await ask(gateway.gateway, '/header', {
      headers: { ...as('eva'), 'x-upstream-cost': '1' },
    });
    t.equal(refused.status, 429, 'the estimate must fit');
    t.match(JSON.parse(refused.body), { requested: 5, limit: 4 });
  });
}
