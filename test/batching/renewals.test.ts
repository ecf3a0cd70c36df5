// Renewals come after everything else: however many are due at once, decisions are answered within their deadline.
import t from 'tap';
import type { Answer } from '../../src/ledger/batching/index.js';
import type { RenewOp } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, reserve, setUp } from './support.js';

const HELD = charges('chat', [{ quota: 'usage', units: 5, kind: 'held' }]);
const DUE = 10_000;

function renewal(hold: string, over: Partial<RenewOp> = {}): RenewOp {
  return { kind: 'renew', hold, ttlMs: 60_000, quotas: ['usage'], units: [0], more: [0], ...over };
}

t.test('10,000 renewals are due in one tick', { skip: skipWithoutRedis }, async (t) => {
  // What counts is the order, not the speed of the machine: behind the renewals, one decision would be answered meanwhile.
  const { batcher, direct, troubles } = await setUp(t, { deadlineMs: 10_000 });
  for (let from = 0; from < DUE; from += 200) {
    const holds = Array.from({ length: 200 }, (_, index) => `h${from + index}`);
    const ops = holds.map((hold) => reserve('ana', { charges: HELD, hold, ttlMs: 60_000 }));
    await Promise.all(ops.map((op) => batcher.decide('acme', op)));
  }
  const renewals = Array.from({ length: DUE }, (_, index) =>
    batcher.enqueueSettlement('acme', renewal(`h${index}`), CYCLE.start),
  );
  const slowest: number[] = [];
  let over = false;
  const renewed = Promise.all(renewals).then((answers) => {
    over = true;
    return answers;
  });
  while (!over) {
    const from = performance.now();
    const answer = await batcher.decide('acme', reserve('ben'));
    t.equal(answer.result.status, 'admitted');
    slowest.push(performance.now() - from);
  }
  t.ok(
    slowest.length > 50,
    `${slowest.length} decisions meanwhile, the slowest took ${Math.max(...slowest)} ms`,
  );
  t.ok((await renewed).every(({ result }) => result.status === 'renewed'));
  const { values } = await direct.read('acme', [{ table: `held:${CYCLE.start}`, fields: ['usage:u:ana'] }]);
  t.equal(Number(values[0]?.[0]), 5 * DUE);
  t.strictSame(troubles, []);
});

t.test('renewals go on however many decisions there are', { skip: skipWithoutRedis }, async (t) => {
  const { batcher } = await setUp(t, { deadlineMs: 10_000 });
  const hold = { charges: HELD, hold: 'h1', ttlMs: 60_000 };
  await batcher.decide('acme', reserve('ana', hold));
  const decisions = Array.from({ length: 300 }, () => batcher.decide('acme', reserve('ben')));
  const renewed = batcher.enqueueSettlement('acme', renewal('h1'), CYCLE.start).then(() => 'renewed');
  t.equal(await Promise.race([renewed, Promise.all(decisions).then(() => 'decided')]), 'renewed');
  await Promise.all(decisions);
});

t.test('a renewal does not follow what came after it', { skip: skipWithoutRedis }, async (t) => {
  const { link, batcher, direct } = await setUp(t);
  for (const hold of ['h1', 'h2'])
    await batcher.decide('acme', reserve('ana', { charges: HELD, hold, ttlMs: 60_000 }));
  link.hold('toStore');
  const late: Promise<Answer>[] = [];
  const enqueueSettlement = (op: Parameters<typeof batcher.enqueueSettlement>[1]) =>
    late.push(batcher.enqueueSettlement('acme', op, CYCLE.start));
  enqueueSettlement(renewal('h1', { units: [1] }));
  enqueueSettlement(renewal('h1', { units: [3], more: [2] }));
  enqueueSettlement(renewal('h2'));
  enqueueSettlement({ kind: 'settle', hold: 'h2', units: [4], estimated: false });
  link.deliver('toStore');
  const statuses = (await Promise.all(late)).map(({ result }) => result.status);
  t.strictSame(statuses, ['none', 'renewed', 'none', 'settled']);
  const { values } = await direct.read('acme', [{ table: 'holds', fields: ['h1', 'h2'] }]);
  t.match(values[0]?.[0], /usage:e:7:3/);
  t.equal(values[0]?.[1], null);
});
