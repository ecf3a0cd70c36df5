/** The console is for everyone: axe finds nothing on its pages and dialogs, in both themes. */
import { test } from 'tap';
import { accessibilityProblems, skipWithoutBrowser } from '../support/browser.js';
import { startConsole } from './console.js';

const PAGES = [
  'orgs/acme/overview',
  'orgs/acme/limits?quota=usage',
  'orgs/acme/limits?quota=usage&set=new',
  'orgs/acme/limits?quota=usage&edit=usage:u:ann',
  'orgs/acme/limits?quota=usage&raise=usage:u:ann',
  'orgs/acme/limits?quota=usage&delete=usage:u:ann',
  'orgs/globex/limits',
  'orgs/acme/nowhere',
];

test('axe finds nothing', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await running.open('orgs/acme/overview', { colorScheme, reducedMotion: 'reduce' });
    for (const path of PAGES) {
      await page.goto(running.url + path);
      const heading =
        path.includes('=') && !path.endsWith('usage') ? page.getByRole('dialog') : page.locator('main');
      await heading.getByRole('heading').first().waitFor();
      t.same(await accessibilityProblems(page), [], `${path}, ${colorScheme}`);
    }
  }
});
