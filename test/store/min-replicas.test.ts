// With `minReplicas`, what a replica has not confirmed counts as unanswered: nothing that was served is lost with the master.
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis, type RedisOptions } from '../../src/ledger/redis/index.js';
import { reserve, until } from '../batching/support.js';
import { figuresOf } from '../e2e/figures.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, infoOf, RedisNode, waitFor } from '../support/redis-node.js';
import { SentinelSet } from '../support/sentinel.js';
import { tryFailover } from './failover.js';
import { testFailover } from './test-failover.js';

const options = { skip: skipWithoutRedis, timeout: 80_000 };
const QUOTAS = { usage: { unit: 'units', decimals: 0 } };
const SEED = {
  cycle: { every: 'year', anchor: 101, timeZone: 'UTC' },
  plans: { usage: { allowance: 1_000 } },
} as const;
const DEADLINE_MS = 300;
/** Of one reservation. */
const UNITS = 5;

async function startMasterAndReplica(t: Test) {
  const args = ['--save', '', '--repl-diskless-sync-delay', '0'];
  const master = new RedisNode({ port: await freePort(), args });
  await master.start();
  const follows = ['--replicaof', '127.0.0.1', String(master.port)];
  const replica = new RedisNode({ port: await freePort(), args: [...args, ...follows] });
  t.teardown(() => Promise.all([master.close(), replica.close()]));
  await replica.start();
  await waitFor(
    'the replica is connected',
    async () => (await infoOf(replica, 'master_link_status')) === 'up',
  );
  await master.send('HSET', 'qg:store', 'epoch', 'of-the-test');
  const open = async (over: Partial<RedisOptions> = {}): Promise<Ledger> => {
    const replication = { replicas: 1, waitMs: DEADLINE_MS };
    const ledger = await openRedis({ url: `redis://${master.address}`, replication, ...over });
    t.teardown(() => ledger.close());
    return ledger;
  };
  return { master, replica, open };
}

async function consumed(ledger: Ledger): Promise<number> {
  return (await figuresOf(ledger, 'acme')).consumed['usage:o'] ?? 0;
}

/** The machine may be too busy for the first one. Returns what is consumed when nothing is in doubt. */
async function decideOnce(batcher: StoreBatcher, ledger: Ledger): Promise<number> {
  await until('a request is admitted', async () => {
    const answer = await batcher.decide('acme', reserve('ana')).catch(() => undefined);
    return answer?.result.status === 'admitted';
  });
  await until('nothing is in doubt', () => batcher.state.inDoubt === 0 && batcher.backlog === 0);
  return consumed(ledger);
}

t.test('a replica that hangs: 503, and what was charged is given back later', options, async (t) => {
  const { master, replica, open } = await startMasterAndReplica(t);
  const [ledger, direct] = [await open(), await open({ replication: undefined })];
  await createOrg(direct, { id: 'acme', seed: SEED, quotas: QUOTAS });
  const batcher = new StoreBatcher({ ledger, deadlineMs: DEADLINE_MS, unknownUsers: 'register' });
  t.teardown(() => batcher.drain(0));
  const before = await decideOnce(batcher, direct);
  replica.signal('SIGSTOP');
  const beganAt = performance.now();
  await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
  const tookMs = performance.now() - beganAt;
  t.ok(tookMs < DEADLINE_MS + 200, `answered within ${Math.round(tookMs)} ms`);
  t.equal(await consumed(direct), before + UNITS, 'the master has it');
  // The repetition comes over another connection, which has written nothing that a replica could lack.
  await master.send('CLIENT', 'KILL', 'TYPE', 'normal');
  await delay(2 * DEADLINE_MS);
  t.equal(batcher.state.inDoubt, 1);
  t.equal(await consumed(direct), before + UNITS, 'nothing is given back while no replica confirms');
  replica.signal('SIGCONT');
  await until('what nobody was served for is given back', async () => {
    return (await consumed(direct)) === before;
  });
  await decideOnce(batcher, direct);
  const commit = { version: 0, changes: [], audit: '' };
  replica.signal('SIGSTOP');
  await t.rejects(ledger.commit('*note*', commit), { message: /^0 of 1 replicas have it within 300 ms$/ });
  replica.signal('SIGCONT');
});

t.test('the permission is checked at start', options, async (t) => {
  const { master, open } = await startMasterAndReplica(t);
  await master.send('ACL', 'SETUSER', 'app', 'on', '>secret', '~qg:*', '+@all', '-wait');
  const login = { username: 'app', password: () => 'secret' };
  await t.rejects(open(login), { message: /lacks permissions: \+wait\./ });
  t.ok((await open({ ...login, replication: undefined })).ready);
});

t.test('a fail-over loses nothing that was served', options, async (t) => {
  const set = await SentinelSet.start();
  t.teardown(() => set.close());
  const trial = await tryFailover(set, { lostMs: 250, minReplicas: 1 });
  // The new master needs a replica first.
  testFailover(t, trial, 20_000);
  t.equal(trial.lostCalls, 0, 'no call is lost');
  t.equal(trial.rolledBack, 0);
});
