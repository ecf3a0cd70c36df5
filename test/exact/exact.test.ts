// No limit is exceeded under concurrency: responses with 200, requests at the upstream and units consumed are equal.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { STORES, startFleet } from './fleet.js';
import { isExact, runScenario, SCENARIOS } from './scenarios.js';

/** `npm run exact` has 20 runs of every scenario on each form. The form of the store is below the rules: two of them are enough here. */
const ON_OTHER_STORES = ['a user', 'the pool'];

for (const store of STORES) {
  const scenarios = SCENARIOS.filter(({ name }) => store === 'redis' || ON_OTHER_STORES.includes(name));
  t.test(
    `limits are exact, ${store}`,
    { skip: store !== 'embedded' && skipWithoutRedis, timeout: 240_000 },
    async (t) => {
      const fleet = await startFleet(store);
      t.teardown(() => fleet.close());
      for (const scenario of scenarios) {
        const outcome = await runScenario(fleet, scenario);
        t.ok(isExact(outcome, scenario), `${scenario.name}: ${JSON.stringify(outcome)}`);
      }
    },
  );
}
