// An org whose cycle rule this process cannot follow is refused and reported; its settlements wait, and other orgs continue.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, orgChanges, refund, reserve, setUp, until, untilSettled } from './support.js';

const UNKNOWN = JSON.stringify({ every: 'month', anchor: 1, timeZone: 'Mars/Olympus' });
const KNOWN = JSON.stringify({ every: 'month', anchor: 1, timeZone: 'UTC' });

t.test('a time zone that only newer replicas know', { skip: skipWithoutRedis }, async (t) => {
  const { batcher, direct, troubles } = await setUp(t);
  await direct.commit('other', { version: 0, changes: orgChanges({ epoch: 'e2' }), audit: '' });
  const admission = await batcher.decide('acme', reserve('ana'));
  t.equal(await consumed(direct, 'ana'), 5);
  const change = async (fields: Record<string, string | number>): Promise<void> => {
    const { version } = await direct.read('acme', []);
    const changes = Object.entries(fields).map(([field, value]) => ({
      set: 'org' as const,
      field,
      value: String(value),
    }));
    await direct.commit('acme', { version, changes, audit: '' });
  };
  await change({ rule: UNKNOWN, ruleVersion: 2, end: 2 });
  await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
  const paid = batcher.enqueueSettlement('acme', refund('ana', admission), CYCLE.start);
  await t.rejects(batcher.decide('acme', reserve('ben')), { code: 'store-unavailable' });
  t.match(troubles, ['cycle-unknown']);
  t.equal((await batcher.decide('other', reserve('ana'))).result.status, 'admitted');
  t.equal(batcher.backlog, 1);

  await change({ rule: KNOWN, ruleVersion: 3, end: CYCLE.end });
  await paid;
  await untilSettled(t, batcher, direct, 'ana', 0);
  await until('it is served again', () =>
    batcher.decide('acme', reserve('ben')).then(
      ({ result }) => result.status === 'admitted',
      () => false,
    ),
  );
});
