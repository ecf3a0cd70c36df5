// Never over: 200s, requests seen upstream and units consumed are one number, over four processes and under any concurrency.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { isExact, runScenario, SCENARIOS, startFleet } from './scenarios.js';

const RUNS = 3;

for (const store of ['redis', 'embedded'] as const) {
  t.test(store, { skip: store === 'redis' && skipWithoutRedis, timeout: 240_000 }, async (t) => {
    const fleet = await startFleet(store);
    t.teardown(() => fleet.close());
    for (const scenario of SCENARIOS)
      for (let run = 0; run < RUNS; run += 1) {
        const outcome = await runScenario(fleet, scenario);
        t.ok(isExact(outcome, scenario), `${scenario.name}: ${JSON.stringify(outcome)}`);
      }
  });
}
