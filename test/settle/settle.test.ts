// What an answer that told its cost in part comes to, and which answers are counted in tokens.
import t from 'tap';
import type { Op } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import type { TokenReport } from '../../src/quota/tokens.js';
import type { Admission, Costs } from '../../src/settle/admission.js';
import { type Ending, settler } from '../../src/settle/settle.js';

const USAGE = { input: 1, cachedInput: 0, cacheWrite: 0, output: 2, reasoning: 0 };
const REPORT: TokenReport = { model: 'm', usage: USAGE, estimated: true };
const HELD = 50;

async function settled(costs: Costs, ending: Ending) {
  const ops: Op[] = [];
  const reports: TokenReport[] = [];
  const settle = settler({
    debts: {
      owe: (_org, op) => {
        ops.push(op);
        return new Promise(() => undefined);
      },
    },
    counts: (_quota, status) => status < 400,
    holdMs: 60_000,
    onLost: (error) => t.fail(String(error)),
    watch: {
      opened: () => undefined,
      closed: () => undefined,
      overshoot: () => undefined,
      counted: (report) => reports.push(report),
    },
  });
  const admission: Admission = {
    org: 'acme',
    user: 'ana',
    groups: '',
    charges: charges('a', [{ quota: 'usd', units: HELD, kind: 'held' }]),
    cycle: 0,
    at: 0,
    call: '',
    hold: 'h',
    evidence: { progress: () => [0], costs: () => costs, report: () => REPORT },
    floors: [5],
  };
  settle.begin(admission);
  settle.end(admission, ending);
  await settle.close();
  const [op] = ops;
  return { units: op?.kind === 'settle' ? op.units[0] : op?.kind, counted: reports.length };
}

const status = (code: number, more: Partial<Extract<Ending, { kind: 'status' }>> = {}): Ending => ({
  kind: 'status',
  status: code,
  whole: true,
  clientGone: false,
  ...more,
});

t.test('a cost that was told in part is the least', async (t) => {
  const part = (units: number): Costs => [{ units, estimated: true, partial: true }];
  const broke = status(200, { whole: false });
  const left = status(200, { whole: false, clientGone: true });
  t.equal((await settled(part(20), broke)).units, HELD, 'what was held is more');
  t.equal((await settled(part(70), broke)).units, 70);
  t.equal((await settled(part(20), left)).units, 20);
  t.equal((await settled(part(2), left)).units, 5, 'the floor is more');
  t.equal(
    (await settled([{ units: 20, estimated: true }], broke)).units,
    20,
    'an estimate stands for itself',
  );
});

t.test('tokens of an answer that does not count are not counted', async (t) => {
  const costs: Costs = [{ units: 20, estimated: true }];
  t.strictSame(await settled(costs, status(200)), { units: 20, counted: 1 });
  t.strictSame(await settled(costs, status(500)), { units: 'release', counted: 0 });
  t.strictSame(await settled(costs, { kind: 'unserved' }), { units: 'release', counted: 0 });
  t.strictSame(await settled(costs, { kind: 'unseen' }), { units: 20, counted: 1 });
});
