/** Everything is done by keyboard alone: no pointer is used here. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { ADMIN_TOKEN } from '../support/gateway.js';
import { type Console, startConsole } from './console.js';

/** Presses Tab until the focus is on the element with that name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    if (name.test(String(await page.evaluate(FOCUSED)))) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}

const FOCUSED = `(() => { const one = document.activeElement;
  return one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent; })()`;

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test('by keyboard alone', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  const page = await running.browser.newPage({ locale: 'en-GB' });
  page.setDefaultTimeout(5_000);

  await t.test('log in: the focus is where one types', async () => {
    await page.goto(`${running.url}orgs/acme/limits?quota=usage`);
    await page.getByLabel('Admin token').waitFor();
    await page.keyboard.type(ADMIN_TOKEN);
    await press(page, 'Enter');
    await page.getByRole('row').filter({ hasText: 'Ben' }).waitFor();
  });

  await t.test('the first Tab skips to the content', async (t) => {
    await page.evaluate('document.activeElement.blur()');
    await press(page, 'Tab', 'Enter');
    t.equal(await page.evaluate('document.activeElement.id'), 'main');
  });

  await t.test('set a limit', (t) => setLimit(t, running, page));
  await t.test('edit a limit', (t) => editLimit(t, running, page));
  await t.test('raise a limit', (t) => raiseLimit(t, running, page));
  await t.test('delete a limit', (t) => deleteLimit(t, running, page));

  await t.test('tabs by arrows, the search by /, a page by the palette', async (t) => {
    await page.getByRole('tab', { name: 'Usage' }).focus();
    await press(page, 'ArrowRight');
    await page.getByRole('heading', { name: 'No limits on LDS' }).waitFor();
    await press(page, '/');
    t.match(await page.evaluate(FOCUSED), /Search users and groups/);
    await press(page, 'Control+k');
    await page.keyboard.type('overv');
    await page.getByRole('option', { name: 'Overview' }).waitFor();
    await press(page, 'Enter');
    await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
    t.equal(await page.evaluate('document.activeElement.id'), 'main', 'screen readers go on at the new page');
  });

  await t.test('distribute evenly', async () => {
    await page.goto(`${running.url}orgs/acme/limits?quota=usage`);
    await tabTo(page, /Distribute evenly/);
    await press(page, 'Enter');
    await page
      .getByRole('dialog')
      .getByText(/active users get/)
      .waitFor();
    await tabTo(page, /^Distribute evenly/);
    await press(page, 'Enter');
    await page.getByText('Usage is distributed evenly.').waitFor();
  });
});

async function setLimit(t: Test, running: Console, page: Page): Promise<void> {
  await tabTo(page, /^Set limit/);
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo(page, /^User or group/);
  await page.keyboard.type('eng');
  await page.getByRole('option', { name: /Engineering/ }).waitFor();
  await press(page, 'Enter');
  await tabTo(page, /^Limit/);
  await page.keyboard.type('800');
  await page.getByText(/Nobody is blocked by this limit/).waitFor();
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  t.match(await page.evaluate(FOCUSED), /Set limit/, 'the focus is back at the button');
  t.match((await running.api('GET', '/orgs/acme/limits/usage:g:eng')).body, { units: 800 });
}

async function editLimit(t: Test, running: Console, page: Page): Promise<void> {
  await tabTo(page, /^Edit: Engineering/);
  await press(page, 'Enter');
  await tabTo(page, /^Limit/);
  await press(page, 'Control+a');
  await page.keyboard.type('900');
  await page.getByText(/Nobody is blocked by this limit/).waitFor();
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  t.match((await running.api('GET', '/orgs/acme/limits/usage:g:eng')).body, { units: 900 });
}

async function raiseLimit(t: Test, running: Console, page: Page): Promise<void> {
  await tabTo(page, /^Actions for Engineering/);
  await press(page, 'Enter');
  await page.getByRole('menu').waitFor();
  await press(page, 'Enter');
  await tabTo(page, /^Raise by/);
  await page.keyboard.type('50');
  await tabTo(page, /^End of period/);
  await press(page, 'Enter');
  await tabTo(page, /^Reason/);
  await page.keyboard.type('release');
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  t.match((await running.api('GET', '/orgs/acme/limits/usage:g:eng')).body, { raise: { units: 50 } });
}

async function deleteLimit(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Actions for Engineering' }).focus();
  await press(page, 'Enter');
  await page.getByRole('menu').waitFor();
  await press(page, 'ArrowUp', 'Enter');
  await page.getByRole('dialog', { name: /^Delete the limit of Engineering/ }).waitFor();
  await tabTo(page, /^Delete/);
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  t.equal((await running.api('GET', '/orgs/acme/limits/usage:g:eng')).status, 404);
}
