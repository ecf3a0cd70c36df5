// A gateway behind Sentinels follows the master; what a fail-over loses is reported, and gives nothing back.
import t, { type Test } from 'tap';
import { openRedis } from '../../src/ledger/redis/index.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, infoOf } from '../support/redis-node.js';
import { SentinelSet } from '../support/sentinel.js';
import { tryFailover } from './failover.js';
import { testFailover } from './test-failover.js';

const options = { skip: skipWithoutRedis, timeout: 80_000 };

async function startSet(t: Test): Promise<SentinelSet> {
  const set = await SentinelSet.start();
  t.teardown(() => set.close());
  return set;
}

t.test('a master that is killed under load, with calls that no replica has', options, async (t) => {
  const trial = await tryFailover(await startSet(t), { lostMs: 250 });
  testFailover(t, trial);
  t.ok(trial.rolledBack > 0 && trial.lostCalls > 0, 'the loss is an alarm, and has a number');
});

t.test('a master that hangs is left when the Sentinels name another', options, async (t) => {
  testFailover(t, await tryFailover(await startSet(t), { end: 'SIGSTOP' }));
});

t.test('a replica that is made the master by hand', options, async (t) => {
  testFailover(t, await tryFailover(await startSet(t), { end: 'promotion' }));
});

t.test('a set that cannot be used is refused at start, with the reason', options, async (t) => {
  const set = await startSet(t);
  const { sentinel } = set.address;
  if (sentinel === undefined) throw new Error('no Sentinels');
  await t.rejects(openRedis({ sentinel: { ...sentinel, name: 'other' } }), {
    message: /^Redis cannot be reached: the Sentinel 127\.0\.0\.1:\d+ knows no master "other"$/,
  });
  const gone = [{ host: '127.0.0.1', port: await freePort() }];
  await t.rejects(openRedis({ sentinel: { ...sentinel, hosts: gone } }), {
    message: /^Redis cannot be reached: failed to connect to sentinel 127\.0\.0\.1:\d+/,
  });
  // One that is gone is passed over.
  const ledger = await openRedis({ sentinel: { ...sentinel, hosts: [...gone, ...sentinel.hosts] } });
  t.ok(ledger.ready);
  await ledger.close();
  t.equal(await infoOf(await set.master(), 'connected_slaves'), '2');
});
