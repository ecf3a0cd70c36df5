/** `npm run exact`: runs every scenario 20 times (or `npm run exact -- 5`) with a fresh org each. Exits 1 if a figure is wrong. */
import { isExact, runScenario, SCENARIOS, startFleet } from './scenarios.js';

const times = Number(process.argv[2] ?? 20);
let wrong = 0;
for (const store of ['redis', 'embedded'] as const) {
  const fleet = await startFleet(store);
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
}
process.exit(wrong === 0 ? 0 : 1);
