// A hold is renewed while its request lasts, one renewal at a time, and never after its end.
import t from 'tap';
import type { Op, Result } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import type { Admission } from '../../src/settle/admission.js';
import { HoldRenewer } from '../../src/settle/hold-renewer.js';

const HOLD_MS = 30;

function admission(hold: string): Admission {
  const asked = charges('chat', [{ quota: 'ai', units: 10, kind: 'held' }]);
  return { org: 'acme', user: 'ana', groups: '', charges: asked, cycle: 1, at: 1, call: '', hold };
}

/** The store's side: the operations it received, by hold; those named in `silent` it does not confirm. */
class SettlementQueue {
  readonly received: string[] = [];
  private readonly waiting: { count: number; go: () => void }[] = [];

  constructor(private readonly silent: string) {}

  enqueueSettlement(_org: string, op: Op): Promise<{ readonly result: Result }> {
    const hold = op.kind === 'renew' ? op.hold : '';
    this.received.push(hold);
    for (const { count, go } of this.waiting) if (this.countOf('steady') >= count) go();
    return hold === this.silent
      ? new Promise(() => undefined)
      : Promise.resolve({ result: { status: 'renewed' } });
  }

  countOf(hold: string): number {
    return this.received.filter((one) => one === hold).length;
  }

  steady(count: number): Promise<void> {
    return new Promise((go) => this.waiting.push({ count, go }));
  }
}

t.test('while the store has not confirmed one, no second follows', async (t) => {
  const queue = new SettlementQueue('stuck');
  const renewer = new HoldRenewer(queue, HOLD_MS, (error) => t.fail(String(error)));
  const [steady, stuck] = [admission('steady'), admission('stuck')];
  renewer.add(steady);
  renewer.add(stuck);
  const alive = setInterval(() => undefined, 1_000);
  await queue.steady(5);
  clearInterval(alive);
  t.equal(queue.countOf('stuck'), 1);
  renewer.delete(steady);
  renewer.delete(stuck);
});

t.test('an extension that is confirmed after the end does not bring the hold back', async (t) => {
  const queue = new SettlementQueue('');
  const renewer = new HoldRenewer(queue, HOLD_MS, (error) => t.fail(String(error)));
  const [steady, over] = [admission('steady'), admission('over')];
  renewer.add(steady);
  renewer.add(over);
  const extending = renewer.extend(over, [5]);
  renewer.delete(over);
  t.same(await extending, { status: 'renewed' });
  const alive = setInterval(() => undefined, 1_000);
  await queue.steady(5);
  clearInterval(alive);
  t.equal(queue.countOf('over'), 1, 'the extension itself');
  renewer.delete(steady);
});

t.test('what is due in one tick is spread over the time until the next', async (t) => {
  const queue = new SettlementQueue('');
  const renewer = new HoldRenewer(queue, 900, (error) => t.fail(String(error)));
  const all = Array.from({ length: 1_000 }, (_, index) => admission(`h${index}`));
  for (const one of all) renewer.add(one);
  const alive = setInterval(() => undefined, 1_000);
  const seen: number[] = [];
  let last = 0;
  const giveUpAt = performance.now() + 5_000;
  while (last < all.length && performance.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push(queue.received.length - last);
    last = queue.received.length;
  }
  clearInterval(alive);
  for (const one of all) renewer.delete(one);
  t.equal(new Set(queue.received).size, all.length);
  t.ok(Math.max(...seen) <= all.length / 2, `at most ${Math.max(...seen)} at once`);
});
