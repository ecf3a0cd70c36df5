/** The console is for everyone: axe finds nothing in either theme, and nothing is wider than a phone or a screen at 200 % zoom. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { test } from 'tap';
import { accessibilityProblems, skipWithoutBrowser } from '../support/browser.js';
import { type Console, startConsole } from './console.js';

const LISTS = [
  'orgs/acme/overview',
  'orgs/acme/limits?quota=usage',
  'orgs/globex/limits',
  'orgs/acme/nowhere',
];
const DIALOGS = [
  'orgs/acme/limits?quota=usage&set=new',
  'orgs/acme/limits?quota=usage&edit=usage:u:ann',
  'orgs/acme/limits?quota=usage&raise=usage:u:ann',
  'orgs/acme/limits?quota=usage&delete=usage:u:ann',
];

const ZOOMED = 'light, at 200 % zoom';
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  'dark, on a phone': { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
  [ZOOMED]: { colorScheme: 'light', viewport: { width: 640, height: 400 } },
};

test('for everyone', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  await running.api('PATCH', '/orgs/acme/users/ann', { name: `${'Ann'.repeat(20)} ${'Smith '.repeat(10)}` });
  for (const [look, options] of Object.entries(LOOKS)) {
    const page = await running.open('orgs/acme/overview', { reducedMotion: 'reduce', ...options });
    for (const path of [...LISTS, ...DIALOGS]) {
      await show(running, page, path);
      // Another width changes nothing that axe reads.
      if (look !== ZOOMED) t.same(await accessibilityProblems(page), [], `${path}, ${look}`);
      const [scrolled, shown] = (await page.evaluate(WIDTHS)) as number[];
      t.equal(scrolled, shown, `${path}, ${look}: nothing is wider than the screen`);
    }
    await page.context().close();
  }
});

const WIDTHS = '[document.documentElement.scrollWidth, document.documentElement.clientWidth]';

async function show(running: Console, page: Page, path: string): Promise<void> {
  await page.goto(running.url + path);
  const place = DIALOGS.includes(path) ? page.getByRole('dialog') : page.getByRole('main');
  await place.getByRole('heading').first().waitFor();
  await page.getByText('Loading…').waitFor({ state: 'detached' });
}
