// Where one name leads to two Redis servers, a gateway never decides on one and reads changes from the other.
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { reserve } from '../batching/support.js';
import { until } from '../e2e/load.js';
import { FaultProxy, type Link } from '../support/fault-proxy.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { QUOTAS, SEED } from '../support/seed.js';

const skip = { skip: skipWithoutRedis };

async function setUp(t: Test) {
  const [one, two] = [await startRedis(), await startRedis({ untouched: true })];
  const proxy = await FaultProxy.start(one.socket);
  const errors: string[] = [];
  const ledger = await openRedis({ url: proxy.url, onError: ({ message }) => errors.push(message) });
  const [first, second] = [
    await openRedis({ url: one.url }),
    await openRedis({ url: two.url, objectionMs: 0 }),
  ];
  await createOrg(first, { id: 'acme', seed: SEED, quotas: QUOTAS });
  const troubles: string[] = [];
  const batcher = new StoreBatcher({
    ledger,
    deadlineMs: 500,
    unknownUsers: 'register',
    onTrouble: (what) => troubles.push(what),
  });
  t.teardown(async () => {
    await batcher.drain(0);
    await Promise.all([ledger.close(), first.close(), second.close()]);
    await proxy.close();
    await Promise.all([one.stop(), two.stop()]);
  });
  await batcher.decide('acme', reserve('ana'));
  // The first decision goes through the connection for decisions.
  const [hot, other] = proxy.links as [Link, Link];
  return { proxy, one, two, ledger, first, second, batcher, errors, troubles, hot, other };
}

async function consumed(ledger: Ledger): Promise<number> {
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['start'] }]);
  const table = `consumed:${Number(values[0]?.[0])}` as const;
  const found = await ledger.read('acme', [{ table, fields: ['usage:o'] }]);
  return Number(found.values[0]?.[0] ?? 0);
}

for (const cut of ['hot', 'other'] as const)
  t.test(
    `after the ${cut} connection reaches another server, none is used until both reach it`,
    skip,
    async (t) => {
      const { proxy, two, ledger, second, errors, hot, other } = await setUp(t);
      await createOrg(second, { id: 'acme', seed: SEED, quotas: QUOTAS });
      proxy.target = two.socket;
      (cut === 'hot' ? hot : other).cutClient();
      await until('the difference is reported', () =>
        errors.some((message) => /two Redis servers/.test(message)),
      );
      await until('both reach one server', () => ledger.ready);
      await ledger.commit('*note*', {
        version: 0,
        changes: [{ set: 'records', field: 'f', value: '1' }],
        audit: '',
      });
      t.equal((await second.read('*note*', [])).version, 1, 'admin writes go to the server that decides');
      t.equal((await ledger.epochOf('acme')).epoch, (await second.epochOf('acme')).epoch);
    },
  );

t.test('while the connections disagree, none is used, and retries back off', skip, async (t) => {
  const { proxy, one, two, ledger, first, batcher, errors, hot } = await setUp(t);
  const before = await consumed(first);
  // A name with two addresses: every other connection reaches the other server.
  let count = 0;
  proxy.targetOf = () => (count++ % 2 === 0 ? two.socket : one.socket);
  hot.cutClient();
  await until('the difference is reported', () =>
    errors.some((message) => /two Redis servers/.test(message)),
  );
  const reported = errors.length;
  const denied = [];
  for (const end = performance.now() + 2_500; performance.now() < end; await delay(50))
    denied.push(await batcher.decide('acme', reserve('ana')).then(String, (error) => error.code));
  t.ok(errors.length - reported < 30, `${errors.length - reported} tries in 2.5 s`);
  t.ok(denied.includes('store-unavailable'));
  proxy.targetOf = undefined;
  await until('both reach one server', () => ledger.ready);
  const served = denied.filter((code) => code !== 'store-unavailable').length;
  t.equal(await consumed(first), before + served * 5, 'charges are on the server that decided');
});

t.test('an empty server is reported as a loss once, without a hot loop', skip, async (t) => {
  const { proxy, two, batcher, troubles, hot } = await setUp(t);
  proxy.target = two.socket;
  hot.cutClient();
  await until('the loss is reported', async () => {
    const code = await batcher.decide('acme', reserve('ana')).then(String, (error) => error.code);
    return code === 'store-lost';
  });
  await delay(2_500);
  t.same(troubles, ['store-lost']);
});
