// A call that the store may have run and forgotten: what would run twice is not sent, and is an alarm.
import t from 'tap';
import type { UndeliveredCall } from '../../src/ledger/lanes/index.js';
import type { Op } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, refund, reserve, setUp } from './support.js';

const HELD = charges('chat', [{ quota: 'usage', units: 9, kind: 'held' }]);

t.test('its refunds are left, its settlements are done', { skip: skipWithoutRedis }, async (t) => {
  const { lanes, direct, troubles } = await setUp(t);
  const admission = await lanes.decide('acme', reserve('ana'));
  await lanes.decide('acme', reserve('ana', { charges: HELD, hold: 'h1', ttlMs: 60_000 }));
  const settle: Op = { kind: 'settle', hold: 'h1', units: [2], estimated: false };
  const ops = [refund('ana', admission), settle].map((op) => ({ op, cycle: CYCLE.start, void: false }));
  const call: UndeliveredCall = { org: 'acme', epoch: 'e1', lane: 'gone', seq: 1, inDoubt: false, ops };
  await lanes.resume(call, true);
  t.strictSame(troubles, ['refund-in-doubt']);
  t.equal(await consumed(direct, 'ana'), 5 + 2);
  await lanes.resume({ ...call, ops: ops.slice(0, 1) }, false);
  t.equal(await consumed(direct, 'ana'), 2, 'one that was never sent is');
});
