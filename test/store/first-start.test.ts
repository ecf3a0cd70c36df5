// A new installation needs no operator: the first start waits once for objections of other gateways, then serves.
import t from 'tap';
import { as, ask, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

const PARTS = { upstream: 'http://127.0.0.1:1', orgs: '  acme: { plans: { usage: { allowance: 1 } } }' };

t.test('the first start waits, later starts do not', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis({ untouched: true });
  t.teardown(() => redis.stop());
  const start = async () => {
    const startedAt = performance.now();
    const gateway = await startGateway({ ...PARTS, redis: redis.url });
    t.teardown(() => gateway.close());
    return { gateway, tookMs: performance.now() - startedAt };
  };
  const first = await start();
  t.ok(first.tookMs > 2_900 && first.tookMs < 8_000, `the first start took ${Math.round(first.tookMs)} ms`);
  const reply = await ask(first.gateway.gateway, '/v3/unit', { headers: as('ana') });
  t.equal(reply.status, 502, 'admitted; the upstream does not exist');
  t.ok((await start()).tookMs < 2_900);
});
