// The contract of the ledger, and random histories, on the other forms of Redis: a master behind Sentinels, and a Cluster.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openClockedCluster, openClockedSentinel } from '../support/clocked-forms.js';
import { ClusterSet } from '../support/cluster.js';
import { runOn } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { SentinelSet } from '../support/sentinel.js';
import { runChild } from './child-tests.js';

/** `HISTORIES=300 QUOTAGATE_TEST_STORE=cluster` runs random-histories.test.ts in full. */
const HISTORIES = '30';

if (skipWithoutRedis !== false) t.plan(0, skipWithoutRedis);
else {
  t.setTimeout(240_000);
  const [sentinels, cluster] = await Promise.all([SentinelSet.start(), ClusterSet.start(0)]);
  t.teardown(() => Promise.all([sentinels.close(), cluster.close()]));
  const closedAtEnd = async (opening: ReturnType<typeof openClockedSentinel>) => {
    const ledger = await opening;
    t.teardown(() => ledger.close());
    return ledger;
  };
  runOn([
    { name: 'sentinel', opened: closedAtEnd(openClockedSentinel(sentinels, 'test')) },
    { name: 'cluster', opened: closedAtEnd(openClockedCluster(cluster, 'test')) },
  ]);
  const contract = new URL('./contract/', import.meta.url);
  for (const file of readdirSync(fileURLToPath(contract)))
    if (file.endsWith('.test.js')) await import(new URL(file, contract).href);
  for (const store of ['sentinel', 'cluster'])
    t.test(`random histories agree with the embedded ledger (${store})`, async (t) => {
      const settings = { QUOTAGATE_TEST_STORE: store, HISTORIES };
      const { failed, onRedis, code } = await runChild('random-histories.test.js', settings);
      t.strictSame({ failed, onRedis, code }, { failed: [], onRedis: 1, code: 0 });
    });
}
