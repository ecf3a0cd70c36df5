// A Redis that may evict counters is refused at start and after a fail-over, and used again once it is configured correctly.
import { Redis } from 'ioredis';
import t from 'tap';
import { openRedis } from '../../src/ledger/redis/index.js';
import { until } from '../e2e/load.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

const skip = { skip: skipWithoutRedis };

t.test('at start, an eviction policy is refused', skip, async (t) => {
  const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
  t.teardown(() => redis.stop());
  await t.rejects(openRedis({ url: redis.url }), /maxmemory-policy allkeys-lru: set it to noeviction/);
});

t.test(
  'after a reconnect, an eviction policy makes the ledger not ready until it is corrected',
  skip,
  async (t) => {
    const redis = await startRedis();
    const proxy = await FaultProxy.start(redis.socket);
    const errors: string[] = [];
    const ledger = await openRedis({ url: proxy.url, onError: ({ message }) => errors.push(message) });
    const direct = new Redis(redis.socket, { protocol: 2 });
    t.teardown(async () => {
      direct.disconnect();
      await ledger.close();
      await proxy.close();
      await redis.stop();
    });
    t.equal(ledger.ready, true);
    await direct.config('SET', 'maxmemory-policy', 'volatile-ttl');
    proxy.cutAll();
    await until('it is refused', () => errors.some((message) => message.includes('volatile-ttl')));
    t.equal(ledger.ready, false);
    await direct.config('SET', 'maxmemory-policy', 'noeviction');
    proxy.cutAll();
    await until('it is used again', () => ledger.ready);
  },
);
