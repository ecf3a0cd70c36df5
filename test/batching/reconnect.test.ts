// Redis closes idle connections: the next request waits within its deadline instead of getting a 503 at once, and is
// charged once.
import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { reserve, setUp, until, untilSettled } from './support.js';

const skip = { skip: skipWithoutRedis };
const OPTIONS = { deadlineMs: 1_000 };

t.test('asked as the connection is being closed', skip, async (t) => {
  const { batcher, proxy, direct, behind } = await setUp(t, OPTIONS);
  for (let round = 1; round <= 5; round += 1) {
    proxy.cutAll();
    const { result } = await batcher.decide('acme', reserve('ana'));
    t.equal(result.status, 'admitted');
    await until('both are back', () => behind.ready);
  }
  await untilSettled(t, batcher, direct, 'ana', 25);
});

t.test('asked when it has been closed', skip, async (t) => {
  const { batcher, proxy, direct, behind } = await setUp(t, OPTIONS);
  proxy.cutAll();
  // It takes a few ms to be connected again.
  while (behind.ready) await turn();
  t.equal(behind.reconnecting, true);
  t.equal((await batcher.decide('acme', reserve('ana'))).result.status, 'admitted');
  await untilSettled(t, batcher, direct, 'ana', 5);
});

t.test("closed by Redis' own timeout", skip, async (t) => {
  const { batcher, redis, direct } = await setUp(t, OPTIONS);
  const server = new Redis(redis.socket, { protocol: 2 });
  t.teardown(() => server.disconnect());
  await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => batcher.decide('acme', reserve('ana'))));
  t.ok(answers.every(({ result }) => result.status === 'admitted'));
  await untilSettled(t, batcher, direct, 'ana', 25);
});

t.test('what an admin reads and writes waits, too', skip, async (t) => {
  const { proxy, behind } = await setUp(t, OPTIONS);
  proxy.cutAll();
  // It takes a few ms to be connected again.
  while (behind.ready) await turn();
  const changes = [{ set: 'records', field: 'f', value: '1' }] as const;
  t.equal((await behind.commit('*note*', { version: 0, changes, audit: '' }))?.version, 1);
});

t.test('an outage: 503 at the deadline first, and at once later', skip, async (t) => {
  const { batcher, proxy, behind } = await setUp(t, { deadlineMs: 200 });
  proxy.refuse(true);
  proxy.cutAll();
  // It takes a few ms to be connected again.
  while (behind.ready) await turn();
  const ask = async (): Promise<number> => {
    const askedAt = performance.now();
    await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
    return performance.now() - askedAt;
  };
  t.ok((await ask()) > 150, 'it may be back');
  await until('it is given up', () => !behind.reconnecting);
  t.ok((await ask()) < 100, 'it is not back');
  proxy.refuse(false);
  await until('it is back', () => behind.ready);
  t.equal((await batcher.decide('acme', reserve('ana'))).result.status, 'admitted');
});
