/**
 * `npm run exact`: runs every scenario 20 times (or `npm run exact -- 5`) with a fresh org each, on every form of the store.
 * `npm run exact -- --store cluster` has one of them: redis, embedded, sentinel or cluster. Exits 1 if a figure is wrong.
 */
import { parseArgs } from 'node:util';
import { STORES, type StoreName, startFleet } from './fleet.js';
import { isExact, runScenario, SCENARIOS } from './scenarios.js';

const { values, positionals } = parseArgs({ options: { store: { type: 'string' } }, allowPositionals: true });
const times = Number(positionals[0] ?? 20);
const chosen = STORES.filter((name) => values.store === undefined || values.store === name);
if (chosen.length === 0) throw new Error(`--store ${values.store}: expected one of ${STORES.join(', ')}`);

/** Returns how many runs were wrong. */
async function runAll(store: StoreName): Promise<number> {
  const fleet = await startFleet(store);
  let wrong = 0;
  try {
    for (const scenario of SCENARIOS) {
      const off: string[] = [];
      const began = performance.now();
      for (let run = 0; run < times; run += 1) {
        const outcome = await runScenario(fleet, scenario);
        if (!isExact(outcome, scenario)) off.push(JSON.stringify(outcome));
      }
      wrong += off.length;
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      const verdict = off.length === 0 ? 'exact' : `off: ${off.join(' ')}`;
      process.stdout.write(
        `${store} × ${fleet.gateways.length}, ${scenario.name}: ${times} runs, ${verdict} (${seconds} s)\n`,
      );
    }
  } finally {
    await fleet.close();
  }
  return wrong;
}

let wrong = 0;
for (const store of chosen) wrong += await runAll(store);
process.exit(wrong === 0 ? 0 : 1);
