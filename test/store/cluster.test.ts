// A gateway on a Redis Cluster: a master that is killed, a slot that moves, and what is refused at start.
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { openRedis } from '../../src/ledger/redis/index.js';
import { ClusterSet } from '../support/cluster.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, RedisNode } from '../support/redis-node.js';
import { tryFailover } from './failover.js';
import { tryMigration } from './migration.js';
import { CALM_P99_MS, testFailover } from './test-failover.js';

const options = { skip: skipWithoutRedis, timeout: 80_000 };

async function startSet(t: Test, replicas: number): Promise<ClusterSet> {
  const set = await ClusterSet.start(replicas);
  t.teardown(() => set.close());
  return set;
}

t.test('a master that is killed under load, with calls that its replica has not', options, async (t) => {
  const trial = await tryFailover(await startSet(t, 1), { lostMs: 250 });
  testFailover(t, trial);
  t.ok(trial.rolledBack > 0 && trial.lostCalls > 0, 'the loss is an alarm, and has a number');
});

for (const end of ['promotion', 'takeover'] as const)
  t.test(`a replica that is made the master by hand: ${end}`, options, async (t) => {
    testFailover(t, await tryFailover(await startSet(t, 1), { end }));
  });

t.test('the slot of an org moves under load, key by key', options, async (t) => {
  const trial = await tryMigration(await startSet(t, 0), { fields: 100_000, pauseMs: 40 });
  const { meanwhile, times, freeTimes, afterwards, redirects, movedMs, longestMs, wrong } = trial;
  t.comment(`moved in ${Math.round(movedMs)} ms, longest MIGRATE ${Math.round(longestMs)} ms`);
  t.comment(`${JSON.stringify({ meanwhile, times, freeTimes })}`);
  t.comment(JSON.stringify({ redirects, afterwards }));
  for (const kind of ['moved', 'ask', 'again']) t.ok((redirects[kind] ?? 0) > 0, `${kind} is followed`);
  const { 200: served = 0, 503: failed = 0 } = afterwards;
  t.ok(served > 0, 'the org is served on its new node');
  if (freeTimes.p99 <= CALM_P99_MS) {
    t.equal(failed, 0, 'and nothing fails any more');
    t.equal(times.lateByStore, 0, 'no answer is late by more than 20 ms');
  }
  t.strictSame(wrong, [], 'nothing is charged twice, and nothing is lost');
});

t.test('the documented permissions are enough; missing ones are named', options, async (t) => {
  const set = await startSet(t, 0);
  const page = readFileSync(new URL('../../../docs/store.md', import.meta.url), 'utf8');
  const [, rules = ''] = /ACL SETUSER quotagate on >\S+ (.*)$/m.exec(page) ?? [];
  const [forCluster = ''] = /\+cluster\|slots.*\+asking/.exec(page) ?? [];
  const as = async (more: string) => {
    const user = ['app', 'reset', 'on', '>secret', ...rules.split(' '), ...more.split(' ')];
    for (const node of set.nodes) await node.send('ACL', 'SETUSER', ...user);
    return openRedis({ ...set.address, username: 'app', password: () => 'secret' });
  };
  const ledger = await as(forCluster);
  t.strictSame(await ledger.orgs(), []);
  await ledger.close();
  await t.rejects(as('+cluster|slots +cluster|info +cluster|myid'), {
    message: /lacks permissions: \+asking\./,
  });
  await t.rejects(as('+cluster|info'), {
    message: /may not read the slots: NOPERM .* Grant \+cluster\|slots /,
  });
  await t.rejects(as(`${forCluster} ~other -hset resetkeys`), { message: /lacks permissions: / });
});

t.test('what is not a Cluster, or not whole, is refused at start', options, async (t) => {
  const node = new RedisNode({ port: await freePort(), args: ['--save', ''] });
  const lonely = new RedisNode({
    port: await freePort(55_000),
    args: ['--save', '', '--cluster-enabled', 'yes'],
  });
  t.teardown(() => Promise.all([node.close(), lonely.close()]));
  await node.start();
  await lonely.start();
  const on = (port: number) => openRedis({ cluster: { hosts: [{ host: '127.0.0.1', port }], retryMs: 50 } });
  await t.rejects(on(node.port), { message: 'Redis is not a Cluster: set store.redis instead' });
  await t.rejects(on(lonely.port), { message: 'the Cluster has no master for 16384 of 16384 slots' });
  await t.rejects(on(await freePort()), { message: 'Redis cannot be reached' });
});
