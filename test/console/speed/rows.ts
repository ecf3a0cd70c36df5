/** Lists of 10,000 rows: the longest task of the page while one scrolls, pages, searches, filters and sorts, by the browser's own trace. */
import type { Page } from 'playwright-core';
import { loaded, showPage, startConsole } from '../console.js';

const ROWS = 10_000;

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** In µs. */
  readonly dur?: number;
  readonly args: { readonly name?: string };
}

/** In ms: the longest task of the main threads of pages. */
function longestTask(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf),
  );
  const tasks = traceEvents.filter((event) => event.name === 'RunTask' && main.has(threadOf(event)));
  if (tasks.length === 0) throw new Error('the trace has no tasks of a page');
  return Math.max(...tasks.map(({ dur = 0 }) => dur / 1_000));
}

async function scroll(page: Page): Promise<void> {
  await page.mouse.move(640, 400);
  for (let step = 0; step < 30; step += 1) {
    await page.mouse.wheel(0, step < 15 ? 400 : -400);
    await page.waitForTimeout(16);
  }
}

interface List {
  readonly path: string;
  /** The label of the search. */
  readonly search: string;
  readonly chip: string;
  /** The head of the column that is sorted by. */
  readonly sort: string;
}

const LISTS: readonly List[] = [
  { path: 'users', search: 'Search users', chip: 'Active', sort: 'Consumed' },
  { path: 'limits?quota=usage', search: 'Search users and groups', chip: 'OK', sort: 'Limit' },
];

async function use(page: Page, { search, chip, sort }: List): Promise<void> {
  await scroll(page);
  for (let turn = 0; turn < 3; turn += 1) {
    await page.getByRole('button', { name: 'Next' }).click();
    await settled(page);
    await scroll(page);
  }
  await page.getByLabel(search).pressSequentially('user 99', { delay: 60 });
  await settled(page);
  await page.getByLabel(search).fill('');
  await page.getByRole('button', { name: chip, exact: true }).click();
  await settled(page);
  await page.getByRole('button', { name: sort, exact: true }).click();
  await settled(page);
}

/** The table has what was asked for. */
async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(250);
  await page.locator('.table-card[aria-busy=false]').waitFor();
}

export interface RowsResult {
  readonly list: string;
  readonly rows: number;
  readonly longestMs: number;
}

export async function measureRows(): Promise<RowsResult[]> {
  const running = await startConsole();
  try {
    await fill(running.api);
    const page = await running.open('orgs/acme/overview');
    await loaded(page.getByRole('main'));
    const results: RowsResult[] = [];
    for (const list of LISTS) {
      await showPage(page, `${running.url}orgs/acme/${list.path}`);
      await running.browser.startTracing(page);
      await use(page, list);
      const longestMs = longestTask(await running.browser.stopTracing());
      results.push({ list: list.path.replace(/\?.*/, ''), rows: ROWS, longestMs });
    }
    return results;
  } finally {
    await running.close();
  }
}

type Api = Awaited<ReturnType<typeof startConsole>>['api'];

async function fill(api: Api): Promise<void> {
  const cycle = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
  const ids = Array.from({ length: ROWS }, (_, index) => `user-${index}`);
  await done(api('PUT', '/orgs/acme', { name: 'Acme Maps', seats: null, cycle }));
  const users = ids.map((id, index) => ({ id, name: `User ${index}`, email: `${id}@acme.example` }));
  await done(api('POST', '/orgs/acme/users/import', users));
  const limits = ids.map((user, index) => ({ user, quota: 'usage', units: 1 + index }));
  await done(api('POST', '/orgs/acme/limits/bulk', { limits }));
}

async function done(answer: ReturnType<Api>): Promise<void> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body).slice(0, 500)}`);
}
