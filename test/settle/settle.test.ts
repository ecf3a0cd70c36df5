// The charge of an answer that stated part of its cost, and which answers are counted in tokens.
import t from 'tap';
import type { Op } from '../../src/ledger/port.js';
import type { Costs } from '../../src/meter/reader.js';
import { charges } from '../../src/quota/charge.js';
import type { TokenReport } from '../../src/quota/tokens.js';
import type { Admission, Replay } from '../../src/settle/admission.js';
import { type Ending, settler } from '../../src/settle/settle.js';

const USAGE = { input: 1, cachedInput: 0, cacheWrite: 0, output: 2, reasoning: 0 };
const REPORT: TokenReport = { model: 'm', usage: USAGE, estimated: true };
const HELD = 50;

interface More {
  readonly isVoid?: boolean;
  readonly replay?: Replay;
}

async function settled(costs: Costs, ending: Ending, { isVoid = false, replay }: More = {}) {
  const ops: Op[] = [];
  const reports: TokenReport[] = [];
  const settle = settler({
    queue: {
      enqueueSettlement: (_org, op) => {
        ops.push(op);
        return new Promise(() => undefined);
      },
    },
    counts: (_quota, status) => status < 400,
    holdMs: 60_000,
    onLost: (error) => t.fail(String(error)),
    observer: {
      opened: () => undefined,
      closed: () => undefined,
      counted: (report) => reports.push(report),
      replayed: () => undefined,
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
    reader: { progress: () => [0], costs: () => costs, report: () => REPORT, isVoid: () => isVoid },
    floors: [5],
    replay,
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

t.test('a cost that was stated in part is a minimum', async (t) => {
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

t.test('tokens of an answer that is void, or a replay, are not counted', async (t) => {
  const costs: Costs = [{ units: 20, estimated: false }];
  const released = { units: 'release', counted: 0 };
  t.strictSame(await settled(costs, status(200), { isVoid: true }), released);
  const replay = (isMarked: boolean, wasCharged: boolean) => {
    let times = 0;
    const one: Replay = {
      isMarked,
      wasCharged,
      charged: () => {
        times += 1;
      },
    };
    return { one, times: () => times };
  };
  const proven = replay(true, true);
  t.strictSame(await settled(costs, status(200), { replay: proven.one }), released);
  t.equal(proven.times(), 0);
  const cases: [what: string, one: ReturnType<typeof replay>, costs: Costs, ending: Ending, times: number][] =
    [
      ['a first call', replay(false, false), costs, status(200), 1],
      ['known, but not marked', replay(false, true), costs, status(200), 1],
      ['marked, but not known', replay(true, false), costs, status(200), 1],
      ['estimated', replay(true, false), [{ units: 20, estimated: true }], status(200), 0],
      ['not whole', replay(true, false), costs, status(200, { whole: false, clientGone: true }), 0],
      ['the client left', replay(false, false), costs, { kind: 'unseen' }, 0],
    ];
  for (const [what, { one, times }, costs, ending, remembered] of cases) {
    t.strictSame(await settled(costs, ending, { replay: one }), { units: 20, counted: 1 }, what);
    t.equal(times(), remembered, what);
  }
  const failed = replay(true, false);
  t.strictSame(await settled(costs, status(500), { replay: failed.one }), released);
  t.equal(failed.times(), 0, 'an answer that costs nothing is not remembered');
});
