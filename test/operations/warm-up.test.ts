// A process runs the path of a request before it is ready, and nobody sees it: no metric, no log line, no key, no upstream.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t from 'tap';
import { warmUp } from '../../src/app/warm-up.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { ask, spawnGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

t.test('it leaves no trace', { skip: skipWithoutRedis }, async (t) => {
  let asked = 0;
  const upstream = createServer((_request, response) => {
    asked += 1;
    response.end();
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const redis = await startRedis();
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-warm-up-'));
  const gateway = await spawnGateway(
    {
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      redis: redis.url,
      orgs: '  acme: { plans: { usage: { allowance: 1000 } } }',
    },
    folder,
  );
  const client = new Redis(redis.socket);
  t.teardown(async () => {
    client.disconnect();
    await gateway.stop();
    await redis.stop();
    upstream.close();
    rmSync(folder, { recursive: true, force: true });
  });
  t.equal(asked, 0, 'the upstream was not asked');
  t.same(
    (await client.keys('*')).filter((key) => key.includes('warm-up')),
    [],
    'the store has nothing of it',
  );
  const { body } = await ask(gateway.ops, '/metrics');
  t.match(body, /quotagate_decisions_total/);
  t.same(body.match(/^quotagate_\w+_total(\{.*\})? [1-9].*$/gm) ?? [], [], 'nothing was counted');
  t.same(
    gateway.log.filter(({ event }) => String(event).includes('warm_up') || String(event).includes('request')),
    [],
    'nothing was logged',
  );
});

t.test('a start does not depend on it', async (t) => {
  const ledger = await openEmbedded();
  const failures: unknown[] = [];
  await warmUp(ledger, (error) => failures.push(error));
  t.same(failures, [], 'an embedded ledger is enough');
  const down = new Error('the store is down');
  const store = { name: 'redis', apply: () => Promise.reject(down) } as unknown as typeof ledger;
  await warmUp(store, (error) => failures.push(error));
  t.same(failures, [down]);
  await ledger.close();
});
