// The deadline of a decision is about the store: what this process needs for its own work does not use it up alone.
import t from 'tap';
import { type Answered, Deadlines, OWN_DELAY_MAX_MS } from '../../src/ledger/batching/deadlines.js';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import type { PendingOperation } from '../../src/ledger/batching/pending-operation.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { orgChanges, reserve } from './support.js';

const DEADLINE_MS = 50;
const BURST = 125;
const TURN_MS = 40;

function work(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

/** On the embedded ledger, which answers in the next turn however busy the machine is. */
t.test('a burst that is read in one slow turn is answered', async (t) => {
  const ledger = await openEmbedded();
  const batcher = new StoreBatcher({ ledger, deadlineMs: DEADLINE_MS, unknownUsers: 'register' });
  t.teardown(async () => {
    await batcher.drain(0);
    await ledger.close();
  });
  await ledger.commit('acme', { version: 0, changes: orgChanges(), audit: '' });
  const answers = Array.from({ length: BURST }, (_, user) => {
    const answer = batcher.decide('acme', reserve(`u${user}`));
    work((3 * DEADLINE_MS) / BURST);
    return answer.then(
      ({ result }) => result.status,
      ({ message }: Error) => message,
    );
  });
  const counts = new Map<string, number>();
  for (const text of await Promise.all(answers)) counts.set(text, (counts.get(text) ?? 0) + 1);
  t.strictSame([...counts], [['admitted', BURST]]);
});

/** How long a decision waits while every turn of the event loop is slow. */
async function waitedMs(org: Answered): Promise<number> {
  const deadlines = new Deadlines(DEADLINE_MS);
  const addedAt = performance.now();
  await new Promise<void>((resolve) => {
    const pending: PendingOperation = {
      op: { kind: 'none' },
      cycle: 0,
      resolve: () => undefined,
      reject: () => resolve(),
      owed: false,
      over: false,
    };
    deadlines.add(pending, org);
    const turn = (): void => {
      work(TURN_MS);
      if (!pending.over) setImmediate(turn);
    };
    setImmediate(turn);
  });
  deadlines.close();
  return performance.now() - addedAt;
}

t.test('slow turns that bring answers extend it, by a second at most', async (t) => {
  const extended = await waitedMs({
    get answeredAt() {
      return performance.now();
    },
  });
  t.ok(extended >= OWN_DELAY_MAX_MS, `${extended} ms`);
  t.ok(extended < OWN_DELAY_MAX_MS + DEADLINE_MS + 4 * TURN_MS, `${extended} ms`);
});

t.test('an org whose store does not answer is not waited for longer', async (t) => {
  const waited = await waitedMs({ answeredAt: 0 });
  t.ok(waited >= DEADLINE_MS, `${waited} ms`);
  t.ok(waited < DEADLINE_MS + 3 * TURN_MS, `${waited} ms`);
});
