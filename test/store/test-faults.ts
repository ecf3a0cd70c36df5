/** Runs faults as tests, shorter than `npm run faults`. The machine may be busy: latencies are printed, and only hangs fail. */
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { FAULTS } from './faults.js';
import { OPEN_UNITS } from './store-setup.js';
import { tryFault } from './trial.js';

const TIMES = { faultMs: 1_500, afterwardsMs: 800 };
/** Generous: only a hang takes longer, not a busy machine. */
const ANSWER_MAX_MS = 2_000;
const RECOVERY_MAX_MS = 10_000;
const STATUSES = ['200', '200 open', '429', '500', '500 open', '503'];

export function testFaults(names: readonly string[]): void {
  for (const name of names)
    t.test(name, { skip: skipWithoutRedis, timeout: 60_000 }, async (t) => {
      const fault = FAULTS.find((one) => one.name === name);
      if (fault === undefined) throw new Error(`unknown fault: ${name}`);
      const trial = await tryFault(fault, TIMES);
      const { statuses, times, freeTimes, recoveredMs, open, outages, over, wrong } = trial;
      t.comment(`${JSON.stringify(statuses)}; ms: ${JSON.stringify({ times, freeTimes })}`);
      t.comment(`recovered after ${Math.round(recoveredMs)} ms; open ${open} in ${outages} outages`);
      const strange = Object.keys(statuses).filter((status) => !STATUSES.includes(status));
      t.strictSame(strange, [], 'every request gets an expected answer');
      t.ok(times.p99 < ANSWER_MAX_MS, `99 of 100 within ${Math.round(times.p99)} ms`);
      if (fault.served === true) t.ok((statuses['200'] ?? 0) > 0, 'requests are served during the fault');
      else t.ok((statuses['503'] ?? 0) > 0, 'closed routes answer 503');
      t.equal(over, 0, 'no limit is exceeded');
      t.ok(open <= OPEN_UNITS * outages, 'open mode stays within its bound');
      t.strictSame(wrong, [], 'counters equal what was served, history equals the counters, nothing is held');
      t.ok(recoveredMs < RECOVERY_MAX_MS, 'the gateway recovers without a restart');
    });
}
