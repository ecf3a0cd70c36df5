// No limit is exceeded under concurrency: responses with 200, requests at the upstream and units consumed are equal.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { STORES, startFleet } from './fleet.js';
import { isExact, runScenario, SCENARIOS } from './scenarios.js';

/** `npm run exact` has 20 of each. */
const RUNS = { redis: 3, embedded: 3, sentinel: 2, cluster: 2 };

for (const store of STORES) {
  t.test(
    `limits are exact, ${store}`,
    { skip: store !== 'embedded' && skipWithoutRedis, timeout: 240_000 },
    async (t) => {
      const fleet = await startFleet(store);
      t.teardown(() => fleet.close());
      for (const scenario of SCENARIOS)
        for (let run = 0; run < RUNS[store]; run += 1) {
          const outcome = await runScenario(fleet, scenario);
          t.ok(isExact(outcome, scenario), `${scenario.name}: ${JSON.stringify(outcome)}`);
        }
    },
  );
}
