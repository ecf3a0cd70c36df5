// A call that the store may have run and forgotten: operations that could run twice are not sent, and raise an alarm.
import t from 'tap';
import type { UndeliveredCall } from '../../src/ledger/batching/index.js';
import type { Op } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, refund, reserve, setUp } from './support.js';

const HELD = charges('chat', [{ quota: 'usage', units: 9, kind: 'held' }]);

t.test('its refunds are left, its settlements are done', { skip: skipWithoutRedis }, async (t) => {
  const { batcher, direct, troubles } = await setUp(t);
  const admission = await batcher.decide('acme', reserve('ana'));
  await batcher.decide('acme', reserve('ana', { charges: HELD, hold: 'h1', ttlMs: 60_000 }));
  const settle: Op = { kind: 'settle', hold: 'h1', units: [2], estimated: false };
  const ops = [refund('ana', admission), settle].map((op) => ({ op, cycle: CYCLE.start, void: false }));
  const call: UndeliveredCall = { org: 'acme', epoch: 'e1', producer: 'gone', seq: 1, inDoubt: false, ops };
  await batcher.resume(call, true);
  t.strictSame(troubles, ['refund-in-doubt']);
  t.equal(await consumed(direct, 'ana'), 5 + 2);
  await batcher.resume({ ...call, ops: ops.slice(0, 1) }, false);
  t.equal(await consumed(direct, 'ana'), 2, 'one that was never sent is');
});
