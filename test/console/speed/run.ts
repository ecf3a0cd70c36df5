/**
 * `npm run console:speed`: how fast the console of the demo is on this machine, what 500 refreshes leave in its memory, and how long lists
 * of 10,000 rows keep the page busy. Prints the figures; fails if the memory grows by more than 1 MB, or a task takes more than 100 ms.
 */
import type { CDPSession, Page } from 'playwright-core';
import { logIn } from '../console.js';
import { startDemo } from '../demo.js';
import { measureRows } from './rows.js';

const REFRESHES = 500;
const GROWTH_MAX_MB = 1;
const TASK_MAX_MS = 100;
const MB = 1024 * 1024;

/** Each refresh reads everything that the page shows: all stamps differ from those before. */
async function refreshTimes(page: Page, times: number): Promise<void> {
  let stamp = 0;
  await page.route('**/changes', (route) => {
    stamp += 1;
    const of = String(stamp);
    const json = { etag: `"${of}"`, directory: of, consumption: of, events: of, audit: of };
    return route.fulfill({ json });
  });
  for (let time = 0; time < times; time += 1) {
    const read = page.waitForResponse(/\/overview$/);
    // The page asks at once when it becomes visible.
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    await read;
  }
  await page.unrouteAll();
}

async function heapOf(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / MB;
}

/** In ms from the start of the load: the first paint, and when the figures are there. */
async function paintOf(page: Page, url: string): Promise<{ first: number; figures: number }> {
  await page.goto(`${url}orgs/acme/overview`);
  await page.locator('.figure').first().waitFor();
  const figures = Number(await page.evaluate('performance.now()'));
  const first = Number(
    await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`),
  );
  return { first, figures };
}

const running = await startDemo();
const page = await running.browser.newPage({ locale: 'en-GB' });
await page.goto(running.url);
await logIn(page, running.token);
await page.locator('.figure').first().waitFor();
const { first, figures } = await paintOf(page, running.url);
process.stdout.write(`first contentful paint ${first.toFixed(0)} ms, figures ${figures.toFixed(0)} ms\n`);

const session = await page.context().newCDPSession(page);
// What is compiled and cached at first is no leak.
await refreshTimes(page, 50);
const before = await heapOf(session);
await refreshTimes(page, REFRESHES);
const grown = (await heapOf(session)) - before;
process.stdout.write(
  `heap ${before.toFixed(1)} MB, ${grown.toFixed(2)} MB more after ${REFRESHES} refreshes\n`,
);
if (grown > GROWTH_MAX_MB) {
  process.stderr.write(`The memory may grow by ${GROWTH_MAX_MB} MB (test/console/speed/run.ts)\n`);
  process.exitCode = 1;
}
await running.close();

for (const { list, rows, longestMs } of await measureRows()) {
  process.stdout.write(`${list} of ${rows} rows: longest task ${longestMs.toFixed(0)} ms\n`);
  if (longestMs <= TASK_MAX_MS) continue;
  process.stderr.write(`A task may take ${TASK_MAX_MS} ms (test/console/speed/run.ts)\n`);
  process.exitCode = 1;
}
