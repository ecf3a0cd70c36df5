// `quotagate store accept-clock` accepts the store's current time and sets back orgs whose time is ahead of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { acceptStoreClock } from '../../src/cli/store.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { lookAtClock } from '../../src/ledger/store-meta.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';

const HOUR_MS = 3_600_000;

t.test('on Redis', { skip: skipWithoutRedis }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-clock-'));
  const redis = await startRedis();
  const ledger = await openRedis({ url: redis.url });
  t.teardown(async () => {
    await ledger.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(file, `store: { redis: ${redis.url} }\n`);
  const times = { ahead: Date.now() + 36 * HOUR_MS, fine: Date.now() - HOUR_MS };
  for (const [org, now] of Object.entries(times))
    await ledger.commit(org, {
      version: 0,
      changes: [
        { set: 'org', field: 'epoch', value: 'e1' },
        { set: 'org', field: 'now', value: String(now) },
      ],
      audit: '',
    });
  let said = '';
  await acceptStoreClock({ config: file, reason: 'a test' }, {}, { write: (text) => (said += text) });
  t.match(
    said,
    /^the time of the store is 20\d\d-[^\n]+\nahead: its time was [^\n]+ is now set back[^\n]+\n$/,
  );
  const timeOf = async (org: string): Promise<number> => {
    const { values } = await ledger.read(org, [{ table: 'org', fields: ['now'] }]);
    return Number(values[0]?.[0]);
  };
  t.ok(Math.abs((await timeOf('ahead')) - Date.now()) < 60_000);
  t.equal(await timeOf('fine'), times.fine);
  const { accepted, clock } = await lookAtClock(ledger);
  t.ok(accepted <= clock && clock - accepted < 60_000);
});
