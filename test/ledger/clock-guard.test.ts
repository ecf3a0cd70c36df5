// The store's clock is bounded by the steady time since its last reading, whatever the orgs did meanwhile.
import t from 'tap';
import { ClockGuard } from '../../src/ledger/clock-guard.js';

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
const BEGIN_MS = 1_800_000_000_000;

function setUp() {
  const time = { steady: 0, slept: 0 };
  const alarms: number[] = [];
  const guard = new ClockGuard({
    alarm: ({ aheadMs }) => alarms.push(aheadMs),
    steady: () => time.steady,
    awake: () => time.steady + time.slept,
  });
  return { guard, time, alarms };
}

t.test('the first reading is taken as it is', async (t) => {
  const { guard } = setUp();
  t.equal(guard.latest(), 0);
  guard.saw(BEGIN_MS);
  t.equal(guard.latest(), BEGIN_MS + 300_000);
});

t.test('an idle week is no jump, a jump of 36 hours is one', async (t) => {
  const { guard, time, alarms } = setUp();
  guard.saw(BEGIN_MS);
  time.steady = WEEK_MS;
  t.ok(guard.latest() > BEGIN_MS + WEEK_MS);
  guard.saw(BEGIN_MS + WEEK_MS);
  t.equal(guard.refused(BEGIN_MS + WEEK_MS + 36 * HOUR_MS), false);
  t.ok(guard.refusing);
  t.same(alarms, [36 * HOUR_MS - 300_000]);
  guard.refused(BEGIN_MS + WEEK_MS + 36 * HOUR_MS);
  t.equal(alarms.length, 1, 'once a minute');
  time.steady += 60_000;
  guard.refused(BEGIN_MS + WEEK_MS + 36 * HOUR_MS);
  t.equal(alarms.length, 2);
  guard.saw(BEGIN_MS + WEEK_MS + 60_000);
  t.notOk(guard.refusing, 'right again');
});

t.test('a machine that slept differs from a clock that jumped', async (t) => {
  const { guard, time, alarms } = setUp();
  guard.saw(BEGIN_MS);
  time.slept = 8 * HOUR_MS;
  t.equal(guard.refused(BEGIN_MS + 9 * HOUR_MS), false, 'it did not sleep for so long');
  const other = setUp();
  other.guard.saw(BEGIN_MS);
  other.time.slept = 8 * HOUR_MS;
  t.equal(other.guard.refused(BEGIN_MS + 8 * HOUR_MS), true);
  t.equal(alarms.length, 1);
  t.equal(other.alarms.length, 0);
});

t.test('what an operator accepted is taken, what was accepted once is not', async (t) => {
  const { guard, time } = setUp();
  guard.saw(BEGIN_MS);
  const jumped = BEGIN_MS + 36 * HOUR_MS;
  guard.refused(jumped);
  guard.look({ accepted: 0, clock: jumped });
  guard.look({ accepted: BEGIN_MS - HOUR_MS, clock: jumped });
  guard.look({ accepted: BEGIN_MS + 20 * HOUR_MS, clock: jumped });
  t.ok(guard.refusing, 'another time was accepted');
  time.steady += 2_000;
  guard.look({ accepted: jumped, clock: jumped + 2_000 });
  t.notOk(guard.refusing);
  t.ok(guard.latest() > jumped);
  guard.refused(jumped + 36 * HOUR_MS);
  guard.look({ accepted: jumped, clock: jumped + 36 * HOUR_MS });
  t.ok(guard.refusing, 'the next jump has to be accepted anew');
  guard.look({ accepted: jumped, clock: jumped + 3_000 });
  t.notOk(guard.refusing, 'it is right again');
});
