/** A gateway with an org, traffic and a browser that is logged in to its console. */
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import {
  ADMIN_TOKEN,
  admin,
  as,
  ask,
  type ConfigParts,
  type RunningGateway,
  startGateway,
} from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

/** A name that would be markup, if a page showed it as such. */
export const MARKUP = '<img src=x onerror=window.hacked=1>';

const ORGS = `
  acme:
    name: Acme Maps
    seats: 5
    cycle: { every: month, anchor: 20, timeZone: Europe/Madrid }
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 } }
    groups: { analysts: { name: Analysts }, eng: { name: Engineering } }
    users:
      ann: { name: Ann Smith, email: ann@acme.example, role: admin, groups: [analysts] }
      ben: { name: Ben, email: ben@acme.example, groups: [analysts, eng] }
      eve: { name: ${JSON.stringify(MARKUP)}, email: eve@acme.example }
    limits:
      - { user: ann, quota: usage, percent: 20 }
      - { user: ben, quota: usage, units: 20 }
      - { group: analysts, quota: usage, units: 3000 }
  globex:
    name: Globex
    cycle: { every: month, anchor: 1, timeZone: UTC }
    plans: { usage: { allowance: 100 } }
`;

export interface Console {
  readonly gateway: RunningGateway;
  readonly browser: Browser;
  /** The address of the console, with a slash behind. */
  readonly url: string;
  /** A call of the admin API, as another admin makes it. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Requests of a user: each costs 10 units of usage. Answers with their statuses. */
  call(user: string, times?: number): Promise<number[]>;
  /** A page of another browser profile, logged in, at a path below the console. */
  open(path: string, options?: BrowserContextOptions, token?: string): Promise<Page>;
  close(): Promise<void>;
}

/** What else the config has; without `redis`, the ledger is embedded. */
interface ConsoleParts extends Partial<ConfigParts> {
  /** More sections of the config. */
  readonly sections?: string;
}

/** Ann has consumed 30 units, and Ben is blocked. */
export async function startConsole({ sections = '', ...parts }: ConsoleParts = {}): Promise<Console> {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS, quotas: sections, ...parts });
  const browser = await openBrowser();
  const url = `http://${gateway.admin}/console/`;
  const call = async (user: string, times = 1): Promise<number[]> => {
    const statuses: number[] = [];
    for (let time = 0; time < times; time += 1)
      statuses.push((await ask(gateway.gateway, '/v3/sql', { headers: as(user) })).status);
    return statuses;
  };
  await call('ann', 3);
  await call('ben', 3);
  return {
    gateway,
    browser,
    url,
    call,
    api: (method, path, body) => admin(gateway.admin, method, path, body),
    open: async (path, options = {}, token = ADMIN_TOKEN) => {
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(url + path);
      await logIn(page, token);
      return page;
    },
    close: async () => {
      await browser.close();
      await gateway.close();
      await upstream.close();
    },
  };
}

export const rowOf = (place: Page | Locator, name: string): Locator =>
  place.getByRole('row').filter({ hasText: name });

export const dialogOf = (page: Page, name: string | RegExp): Locator => page.getByRole('dialog', { name });

/** Resolves when the page or its dialog has its data. */
export async function loaded(place: Locator): Promise<void> {
  await place.getByRole('heading').first().waitFor();
  await place.page().getByText('Loading…').first().waitFor({ state: 'detached' });
  await place.page().locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}

/** Shows a page as a link of the console does it, without a load. */
export async function showPage(page: Page, url: string): Promise<void> {
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(url)}); dispatchEvent(new PopStateEvent('popstate'))`,
  );
  await loaded(page.getByRole('main'));
}

/** What the button *Download CSV* saves. */
export async function csvOf(page: Page): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ]);
  return readFile(await file.path(), 'utf8');
}

export async function logIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}
