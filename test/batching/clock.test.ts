// A jump of the store's clock causes a 503 and an alarm, not a new cycle. It ends when the clock is right again, or
// when an operator accepts it.
import t, { type Test } from 'tap';
import { acceptClock } from '../../src/admin/index.js';
import { seedChanges } from '../../src/admin/orgs/seed.js';
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import { ClockGuard } from '../../src/ledger/clock-guard.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { lookAtClock } from '../../src/ledger/store-meta.js';
import { sweepOrg } from '../../src/maintenance/sweep.js';
import { reserve } from './support.js';

const HOUR_MS = 3_600_000;
const BEGIN_MS = Date.UTC(2026, 10, 30, 12);
const JUMP_MS = 36 * HOUR_MS;
const SEED = {
  cycle: { every: 'month', anchor: 1, timeZone: 'UTC' },
  plans: { usage: { allowance: 100 } },
} as const;
const QUOTAS = { usage: { unit: 'units', decimals: 0 } };

async function setUp(t: Test) {
  const time = { clock: BEGIN_MS };
  const alarms: string[] = [];
  const troubles: string[] = [];
  const guard = new ClockGuard({ alarm: () => alarms.push('store-clock-jumped') });
  const ledger = await openEmbedded({ clock: () => time.clock, clockGuard: guard });
  await ledger.commit('acme', {
    version: 0,
    changes: seedChanges({ id: 'acme', seed: SEED, quotas: QUOTAS }, BEGIN_MS),
    audit: '',
  });
  const make = (): StoreBatcher => {
    const onTrouble = (what: string): unknown => troubles.push(what);
    const batcher = new StoreBatcher({ ledger, deadlineMs: 500, unknownUsers: 'register', onTrouble });
    t.teardown(() => batcher.drain(0));
    return batcher;
  };
  const batcher = make();
  const month = async (): Promise<string> => {
    const { values } = await ledger.read('acme', [{ table: 'org', fields: ['start'] }]);
    return new Date(Number(values[0]?.[0])).toISOString().slice(0, 7);
  };
  const decide = async () => (await batcher.decide('acme', reserve('ana'))).result.status;
  t.equal(await decide(), 'admitted');
  return { time, guard, ledger, batcher, alarms, troubles, month, decide };
}

const REFUSED = { code: 'store-unavailable', message: /clock/ };

t.test('one forward reading ends no cycle and stops no time', async (t) => {
  const { time, guard, ledger, batcher, alarms, month, decide } = await setUp(t);
  time.clock += JUMP_MS;
  await t.rejects(decide(), REFUSED);
  await t.rejects(decide(), REFUSED);
  await sweepOrg(ledger, 'acme');
  const settle = { kind: 'settle', hold: 'none', units: [1], estimated: false } as const;
  const owed = batcher.enqueueSettlement('acme', settle, 0);
  t.same(alarms, ['store-clock-jumped']);
  t.ok(guard.refusing);
  t.equal(await month(), '2026-11', 'housekeeping ends it neither');
  time.clock = BEGIN_MS + 1_000;
  t.equal(await decide(), 'admitted');
  t.notOk(guard.refusing);
  await owed;
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['now'] }]);
  t.equal(values[0]?.[0], String(BEGIN_MS + 1_000));
});

t.test('an operator accepts it', async (t) => {
  const { time, guard, ledger, month, decide } = await setUp(t);
  time.clock += JUMP_MS;
  await t.rejects(decide(), REFUSED);
  guard.look(await lookAtClock(ledger));
  t.ok(guard.refusing);
  const { clock, setBack } = await acceptClock(ledger, 'the store was a day behind');
  t.same({ clock, setBack }, { clock: BEGIN_MS + JUMP_MS, setBack: [] });
  guard.look(await lookAtClock(ledger));
  t.equal(await decide(), 'admitted');
  t.equal(await month(), '2026-12');
});

t.test('an org whose time is ahead is reported, and set back', async (t) => {
  const { time, guard, ledger, troubles, month, decide } = await setUp(t);
  // As a gateway that has just started takes it.
  guard.saw(BEGIN_MS + JUMP_MS);
  time.clock += JUMP_MS;
  t.equal(await decide(), 'admitted');
  time.clock = BEGIN_MS + 1_000;
  t.equal(await decide(), 'admitted');
  t.equal(await decide(), 'admitted');
  t.same(troubles, ['org-ahead-of-clock'], 'once a minute');
  const { setBack } = await acceptClock(ledger, 'it was wrong for a call');
  t.same(setBack, [{ org: 'acme', from: BEGIN_MS + JUMP_MS }]);
  t.equal(await decide(), 'admitted');
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['now'] }]);
  t.equal(values[0]?.[0], String(BEGIN_MS + 1_000), 'time goes on');
  t.equal(await month(), '2026-12', 'the cycle that began stays');
  const [audit] = await ledger.logBack('acme', 'audit', '', 1);
  t.match(JSON.parse(audit?.text ?? ''), { action: 'org.accept-clock', reason: 'it was wrong for a call' });
});

t.test('a call about no org that comes while the clock is wrong accepts nothing', async (t) => {
  const { time, guard, batcher, decide } = await setUp(t);
  time.clock += JUMP_MS;
  await t.rejects(batcher.decide('nobody', reserve('ana')), { code: 'unknown-org' });
  t.ok(guard.refusing);
  await t.rejects(decide(), REFUSED);
});
