/** What every fail-over has to show. */
import type { Test } from 'tap';
import { type FailoverTrial, RECOVERY_MAX_MS } from './failover.js';
import { SCARCE_UNITS } from './store-setup.js';

/** Requests that need no store take a few milliseconds; otherwise the machine is too busy for latencies to mean anything. */
export const CALM_P99_MS = 15;
const BUSY_TURNS = 5;
const STATUSES = ['200', '200 open', '429', '500', '500 open', '503'];

export function testFailover(t: Test, trial: FailoverTrial, recoveryMaxMs = RECOVERY_MAX_MS): void {
  const { statuses, times, freeTimes, electedMs, recoveredMs, rolledBack } = trial;
  t.comment(`${JSON.stringify(statuses)}; ms: ${JSON.stringify({ times, freeTimes })}`);
  t.comment(`elected after ${Math.round(electedMs)} ms, served ${Math.round(recoveredMs)} ms later`);
  t.comment(
    `alarms ${rolledBack}, lost calls ${trial.lostCalls}; small budget: ${trial.scarceServed} served, at most ${trial.scarceLost} lost`,
  );
  const strange = Object.keys(statuses).filter((status) => !STATUSES.includes(status));
  t.strictSame(strange, [], 'every request gets an expected answer');
  if (freeTimes.p99 <= CALM_P99_MS) t.equal(times.lateByStore, 0, 'no answer is late by more than 20 ms');
  // Where a request that needs no store takes so long, one that connects first takes several times as long.
  const ownMs = freeTimes.p99 <= CALM_P99_MS ? 0 : BUSY_TURNS * freeTimes.p99;
  t.ok(
    recoveredMs < recoveryMaxMs + ownMs,
    `requests are served again within ${recoveryMaxMs} ms of the election`,
  );
  t.ok(trial.scarceServed <= SCARCE_UNITS + trial.scarceLost, 'the limit is exceeded only by what was lost');
  t.strictSame(trial.wrong, [], 'nothing is charged twice, and no loss gives anything back');
}
