// A partition of the network: every request is answered in time, the gateway returns by itself, and a loss is told and gives nothing back.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isInOwnNetwork, ownNetwork, skipWithoutNetworks } from '../support/network.js';
import { skipWithoutRedis } from '../support/redis.js';
import { type PartitionOptions, tryPartition } from './partition.js';
import { testFailover } from './test-failover.js';

const TIMEOUT_MS = 240_000;

function testPartition(options: PartitionOptions): void {
  const { form, side } = options;
  t.test(`${form}: ${side}`, { timeout: 80_000 }, async (t) => {
    const trial = await tryPartition(options);
    t.comment(`parted: ${JSON.stringify(trial.parted)}`);
    testFailover(t, trial);
    if (side === 'gateway apart from master')
      t.ok((trial.parted['503'] ?? 0) > 0, 'closed routes answer 503 meanwhile');
    if (side === 'master with gateway')
      t.ok(trial.rolledBack > 0 && trial.lostCalls > 0, 'the loss is an alarm, and has a number');
  });
}

if (isInOwnNetwork) {
  t.setTimeout(TIMEOUT_MS);
  // `npm run faults` has all sides of both forms.
  testPartition({ form: 'sentinel', side: 'master with gateway' });
  testPartition({ form: 'cluster', side: 'gateway apart from master' });
} else {
  const skip = skipWithoutRedis === false ? skipWithoutNetworks() : skipWithoutRedis;
  if (skip !== false) t.plan(0, skip);
  else {
    const { command, args, env } = ownNetwork(process.execPath, [fileURLToPath(import.meta.url)]);
    t.spawn(command, args, { env, timeout: TIMEOUT_MS }, 'in a network of its own');
  }
}
