// No limit is exceeded under concurrency: responses with 200, requests at the upstream and units consumed are equal.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { isExact, runScenario, SCENARIOS, startFleet } from './scenarios.js';

const RUNS = 3;

for (const store of ['redis', 'embedded'] as const) {
  t.test(
    `limits are exact, ${store}`,
    { skip: store === 'redis' && skipWithoutRedis, timeout: 240_000 },
    async (t) => {
      const fleet = await startFleet(store);
      t.teardown(() => fleet.close());
      for (const scenario of SCENARIOS)
        for (let run = 0; run < RUNS; run += 1) {
          const outcome = await runScenario(fleet, scenario);
          t.ok(isExact(outcome, scenario), `${scenario.name}: ${JSON.stringify(outcome)}`);
        }
    },
  );
}
