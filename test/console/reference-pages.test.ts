/** Each number of `docs/reference-pages.md` is true of the console, on a running gateway with traffic. */
import { test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { startReference } from './reference/gateway.js';
import { NUMBERS } from './reference/numbers.js';

test('what the pages of two products show', { skip: skipWithoutBrowser }, async (t) => {
  const at = await startReference(t);
  for (const { number, title, test: show } of NUMBERS)
    await t.test(`${number}: ${title}`, (t) => show(t, at));
  t.equal(await at.page.evaluate('window.hacked'), undefined, 'a name with markup is text on all of them');
});
