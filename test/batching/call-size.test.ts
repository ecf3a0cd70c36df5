// Calls grow with what is learnt of their counter lines, and more of them are in flight the farther away the store is.
import t from 'tap';
import { CallSize, LINES_MAX } from '../../src/ledger/batching/call-size.js';
import { Distance } from '../../src/ledger/batching/distance.js';

/** Plays full calls of an org: the first operation touches `first` lines, each further one `marginal`. */
function play(size: CallSize, calls: number, first: number, marginal: number): number[] {
  return Array.from({ length: calls }, () => {
    const { operations } = size;
    size.learn(operations, first + (operations - 1) * marginal);
    return operations;
  });
}

t.test('a call stays within its lines once they are known', async (t) => {
  const size = new CallSize();
  const played = play(size, 20, 12, 2);
  t.same(played.slice(0, 3), [4, 8, 16], 'the size doubles at first');
  t.ok(12 + 2 * (size.operations - 1) <= LINES_MAX, `${size.operations} operations`);
  t.ok(12 + 2 * size.operations > 0.9 * LINES_MAX, 'and is used');
});

t.test('lone requests do not make calls small', async (t) => {
  // 30 groups and 2 quotas: 64 lines, of which one more user of the same groups adds 2.
  const size = new CallSize();
  for (let call = 0; call < 60; call += 1) size.learn(1, 64);
  play(size, 10, 64, 2);
  t.ok(size.operations > 10, `${size.operations} operations`);
});

t.test('the first calls are small, whatever they touch', async (t) => {
  const size = new CallSize();
  // Operations that share nothing: 62 lines each.
  t.same(play(size, 5, 62, 62), [4, 2, 1, 1, 1], 'two calls are enough to learn it');
  play(size, 100, 62, 62);
  t.ok(play(size, 100, 62, 2).includes(15), 'users who share their groups make calls grow again');
});

t.test('a nearby store gets two calls at once, one that is a millisecond away gets more', async (t) => {
  const near = new Distance();
  t.equal(near.callsInFlight, 2, 'nothing is known yet');
  for (let answer = 0; answer < 3_000; answer += 1) near.noteAnswer(1, answer % 50 === 0 ? 0.15 : 4);
  t.equal(near.callsInFlight, 2, 'queueing is not distance');
  near.noteAnswer(60, 0.01);
  const far = new Distance();
  far.noteAnswer(1, 1.2);
  t.equal(far.callsInFlight, 4);
  far.noteAnswer(200, 0.1);
  t.equal(far.callsInFlight, 4, 'a large call says nothing');
  far.noteAnswer(1, 0.2);
  t.equal(far.callsInFlight, 2, 'nearer at once');
  for (let answer = 0; answer < 2_001; answer += 1) far.noteAnswer(1, 30);
  t.equal(far.callsInFlight, 16, 'farther within two windows, up to a bound');
});
