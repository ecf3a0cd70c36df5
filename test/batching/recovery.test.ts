// A recovering store does not get all unanswered calls at once: a few at a time are sent again.
import t from 'tap';
import { ConcurrencyLimiter } from '../../src/ledger/batching/concurrency-limiter.js';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { type Call, type Ledger, StoreError } from '../../src/ledger/port.js';
import { CYCLE, orgChanges, refund, until } from './support.js';

const ORGS = 300;

t.test('what is owed to many orgs is delivered through a concurrency limiter', async (t) => {
  const ledger = await openEmbedded();
  let down = true;
  let failures = 0;
  let inside = 0;
  let most = 0;
  const beats = new Set<number>();
  /** The embedded ledger, away for a while, and a millisecond far. */
  const far = Object.create(ledger) as Ledger;
  far.apply = async (call: Call) => {
    if (down) {
      failures += 1;
      throw new StoreError('away', 'unknown');
    }
    inside += 1;
    most = Math.max(most, inside);
    beats.add(Math.floor(performance.now() / 10));
    await new Promise((resolve) => setTimeout(resolve, 1));
    inside -= 1;
    return ledger.apply(call);
  };
  const batcher = new StoreBatcher({ ledger: far, deadlineMs: 50, unknownUsers: 'register' });
  t.teardown(() => batcher.drain(0));
  const owed: Promise<unknown>[] = [];
  for (let index = 0; index < ORGS; index += 1) {
    await ledger.commit(`org${index}`, { version: 0, changes: orgChanges(), audit: '' });
    owed.push(batcher.enqueueSettlement(`org${index}`, refund('ana', { now: 1 }), CYCLE.start));
  }
  await until('all have failed more than once', () => failures > 3 * ORGS);
  down = false;
  await Promise.all(owed);
  t.ok(most <= 16, `${most} at once, at most 8 of them again and their first followers`);
  t.ok(beats.size > 5, 'and they are spread');
  t.equal(batcher.backlog, 0);
});

t.test('a limiter runs as many jobs at once as it says, and all in the end', async (t) => {
  const limiter = new ConcurrencyLimiter(2);
  const inside: number[] = [];
  const leave: (() => void)[] = [];
  for (let job = 0; job < 5; job += 1)
    limiter.enter(() => {
      inside.push(job);
      return new Promise<void>((resolve) => leave.push(resolve));
    });
  t.strictSame(inside, [0, 1]);
  for (let job = 0; job < 5; job += 1) {
    leave[job]?.();
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(inside.length, Math.min(5, job + 3));
  }
});
