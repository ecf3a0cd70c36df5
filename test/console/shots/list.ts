/** The pictures of the contact sheet: one row per page or dialog, and what to do before the picture. */
import type { Page } from 'playwright-core';

export const LOOKS = ['light', 'dark', 'phone'] as const;
export type Look = (typeof LOOKS)[number];

export interface Shot {
  readonly name: string;
  /** Below the console; `ORG` stands for the org. */
  readonly path: string;
  /** `full`: an org with users and traffic. `empty`: a new one. `error`: the API answers 500. `login`: nobody is logged in. */
  readonly state?: 'full' | 'empty' | 'error' | 'login';
  /** Left out: all. */
  readonly looks?: readonly Look[];
  readonly act?: (page: Page) => Promise<void>;
}

const click = (name: string) => (page: Page) => page.getByRole('button', { name }).first().click();

export const SHOTS: readonly Shot[] = [
  { name: 'login', path: '', state: 'login' },
  { name: 'overview', path: 'orgs/ORG/overview' },
  { name: 'overview-cumulative', path: 'orgs/ORG/overview?figures=cumulative', looks: ['light'] },
  { name: 'overview-empty', path: 'orgs/ORG/overview', state: 'empty', looks: ['light', 'phone'] },
  { name: 'overview-error', path: 'orgs/ORG/overview', state: 'error', looks: ['light'] },
  {
    name: 'palette',
    path: 'orgs/ORG/overview',
    looks: ['light', 'phone'],
    act: (page) => openPalette(page, 'an'),
  },
  { name: 'menu', path: 'orgs/ORG/overview', looks: ['phone'], act: click('More') },
  { name: 'user-menu', path: 'orgs/ORG/overview', looks: ['dark'], act: click('theme, language, log out') },
  { name: 'orgs', path: 'orgs/ORG/overview', looks: ['light'], act: click('Organization: ') },
  { name: 'limits', path: 'orgs/ORG/limits?quota=usage' },
  { name: 'limits-empty', path: 'orgs/ORG/limits', state: 'empty', looks: ['light', 'phone'] },
  { name: 'limits-error', path: 'orgs/ORG/limits', state: 'error', looks: ['light'] },
  { name: 'limits-no-match', path: 'orgs/ORG/limits?quota=usage&q=nobody', looks: ['light'] },
  { name: 'limit-set', path: 'orgs/ORG/limits?quota=usage&set=new', act: typeSubject },
  { name: 'limit-edit-blocks', path: 'orgs/ORG/limits?quota=usage&edit=usage:u:finn', act: typeTooLittle },
  { name: 'limit-raise', path: 'orgs/ORG/limits?quota=usage&raise=usage:u:mona', act: typeRaise },
  {
    name: 'limit-delete',
    path: 'orgs/ORG/limits?quota=usage&delete=usage:u:mona',
    looks: ['light', 'phone'],
  },
  {
    name: 'distribute',
    path: 'orgs/ORG/limits?quota=usage',
    looks: ['light', 'phone'],
    act: distribute,
  },
  { name: 'not-found', path: 'orgs/ORG/nowhere', looks: ['light'] },
];

async function openPalette(page: Page, text: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill(text);
}

async function typeSubject(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'User or group' }).click();
  await page.getByRole('option').first().waitFor();
}

async function typeTooLittle(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('10');
  await page.getByLabel('Unit of the limit').selectOption('units');
}

async function typeRaise(page: Page): Promise<void> {
  await page.getByLabel('Raise by').fill('500');
  await page.getByRole('button', { name: 'Friday evening' }).click();
}

/** Gives one user a cap first: caps of 20 % do not sum to 100 %. */
async function distribute(page: Page): Promise<void> {
  await page.evaluate(`fetch('/v1/orgs/acme/limits', {
    method: 'POST',
    headers: { 'QuotaGate-Console': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'dana', quota: 'usage', percent: 20 }),
  })`);
  await page.getByRole('button', { name: 'Distribute evenly' }).click();
}
