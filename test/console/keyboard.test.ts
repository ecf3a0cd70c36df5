/** Every act of the console is done by keyboard alone: no pointer is used here. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { ADMIN_TOKEN } from '../support/gateway.js';
import { type Console, rowOf, startConsole } from './console.js';
import { activate, choose, focused, open, press, tabTo } from './keyboard/keys.js';
import { limits } from './keyboard/limits.js';
import { settings } from './keyboard/settings.js';
import { users } from './keyboard/users.js';

test('by keyboard alone', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole({ quotas: 'raiseRequests: true' });
  t.teardown(() => running.close());
  const page = await running.browser.newPage({ locale: 'en-GB' });
  page.setDefaultTimeout(5_000);

  await t.test('log in: the focus is where one types', async () => {
    await page.goto(`${running.url}orgs/acme/limits?quota=usage`);
    await page.getByLabel('Admin token').waitFor();
    await page.keyboard.type(ADMIN_TOKEN);
    await press(page, 'Enter');
    await rowOf(page, 'Ben').waitFor();
  });

  await t.test('the first Tab skips to the content', async (t) => {
    await page.evaluate('document.activeElement.blur()');
    await press(page, 'Tab', 'Enter');
    t.equal(await page.evaluate('document.activeElement.id'), 'main');
  });

  await t.test('tabs by arrows, the search by /, a page by the palette', (t) => findOnesWay(t, page));
  await t.test('filters of history and audit, and a file', (t) => filters(t, running, page));
  await limits(t, running, page);
  await users(t, running, page);
  await settings(t, running, page);
  await t.test('another org, theme, language, log out', (t) => leave(t, running, page));
});

async function findOnesWay(t: Test, page: Page): Promise<void> {
  await tabTo(page, /^Usage$/);
  await press(page, 'ArrowRight');
  await page.getByRole('heading', { name: 'No limits on LDS' }).waitFor();
  await press(page, '/');
  t.match(await focused(page), /Search users and groups/);
  await press(page, 'Control+k');
  await page.keyboard.type('overv');
  await page.getByRole('option', { name: 'Overview' }).waitFor();
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  t.equal(await page.evaluate('document.activeElement.id'), 'main', 'screen readers go on at the new page');
}

async function filters(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'history');
  await activate(page, /^7 days$/);
  await activate(page, /^User$/);
  await activate(page, /^Cumulative$/);
  t.match(page.url(), /period=7d&by=user&figures=cumulative/);
  await tabTo(page, /^As a table$/);
  await press(page, 'Enter');
  await page.getByRole('columnheader', { name: 'Ann Smith' }).waitFor();
  await open(page, running, 'audit');
  await tabTo(page, /^Changes of$/);
  await press(page, 'ArrowDown');
  t.match(page.url(), /action=limit/);
  await tabTo(page, /^Download CSV$/);
  // Before the filters.
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Enter')]);
  t.equal(file.suggestedFilename(), 'acme-audit.csv');
}

async function leave(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/overview`);
  await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
  await activate(page, /^Organization: /);
  await page.keyboard.type('globex');
  await page.getByRole('option', { name: 'Globex', selected: true }).waitFor();
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'Globex' }).waitFor();
  await choose(page, /theme, language, log out/, 'Dark');
  t.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await choose(page, /theme, language, log out/, 'Español');
  await page.getByRole('navigation').getByRole('link', { name: 'Límites' }).waitFor();
  await choose(page, /cerrar sesión/, 'Cerrar sesión');
  await page.getByRole('heading', { name: 'Iniciar sesión' }).waitFor();
}
