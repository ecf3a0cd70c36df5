// Reservations of fixed costs are decided on the store's common path, whatever else their gateway sends.
import t from 'tap';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import type { Call, DecisionStore, Reply } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, refund, reserve, setUp } from './support.js';

const HELD = charges('chat', [{ quota: 'usage', units: 5, kind: 'held' }]);
const USERS = Array.from({ length: 50 }, (_, index) => `user${index}`);

/** The ledger, and what it was asked. */
function watched(ledger: DecisionStore): { ledger: DecisionStore; calls: { call: Call; reply: Reply }[] } {
  const calls: { call: Call; reply: Reply }[] = [];
  const apply = async (call: Call): Promise<Reply> => {
    const reply = await ledger.apply(call);
    calls.push({ call, reply });
    return reply;
  };
  const watching: DecisionStore = Object.create(ledger, { apply: { value: apply } });
  return { ledger: watching, calls };
}

t.test(
  'at least 95 % of plain reservations, beside holds and refunds',
  { skip: skipWithoutRedis },
  async (t) => {
    const { direct } = await setUp(t);
    const { ledger, calls } = watched(direct);
    const batcher = new StoreBatcher({ ledger, deadlineMs: 10_000, unknownUsers: 'register' });
    t.teardown(() => batcher.drain(0));
    await Promise.all(USERS.map((user) => batcher.decide('acme', reserve(user))));
    calls.length = 0;
    for (let round = 0; round < 40; round += 1) {
      const hold = { charges: HELD, hold: `h${round}`, ttlMs: 60_000 };
      const plain = USERS.slice(0, 1 + (round % 50)).map((user) => batcher.decide('acme', reserve(user)));
      await Promise.all([...plain, batcher.decide('acme', reserve('ana', hold))]);
      const [first] = plain;
      const settled = { kind: 'settle', hold: `h${round}`, units: [3], estimated: false } as const;
      await Promise.all([
        batcher.enqueueSettlement('acme', settled, CYCLE.start),
        first && batcher.enqueueSettlement('acme', refund('user0', await first), CYCLE.start),
      ]);
    }
    const isPlain = ({ call }: { call: Call }): boolean =>
      call.ops.some((op) => op.kind === 'reserve' && op.hold === '');
    const plain = calls.filter(isPlain);
    const common = plain.filter(({ reply }) => reply.common === true);
    const count = (list: typeof calls): number => list.reduce((sum, { call }) => sum + call.ops.length, 0);
    t.ok(count(plain) > 700, `${count(plain)} plain reservations in ${plain.length} calls`);
    t.ok(count(common) >= 0.95 * count(plain), `${count(common)} of them on the common path`);
    t.ok(
      plain.every(({ call }) => call.ops.every((op) => op.kind === 'reserve' || op.kind === 'none')),
      'settlements and refunds go in calls of their own',
    );
  },
);
