/** Log in and out; a session that ends in the middle of an edit costs nothing that was typed. */
import { test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { ADMIN_TOKEN } from '../support/gateway.js';
import { logIn, startConsole } from './console.js';

test('the login', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  const page = await running.open('', {}, 'qga_wrong_token');

  await t.test('a wrong token is refused with a sentence', async (t) => {
    await page.getByText('This token is unknown, expired or revoked.').waitFor();
    t.equal(await page.getByLabel('Admin token').inputValue(), 'qga_wrong_token', 'it can be corrected');
  });

  await t.test('a token logs in, and the address goes on to the overview', async (t) => {
    await logIn(page);
    await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
    t.match(page.url(), /\/console\/orgs\/acme\/overview$/);
    t.notMatch(await page.evaluate('document.cookie + JSON.stringify(localStorage)'), ADMIN_TOKEN);
  });

  await t.test(
    'a session that ends: the dialog asks, what is typed stays, and the save goes on',
    async (t) => {
      await page.goto(`${running.url}orgs/acme/limits?quota=usage&edit=usage:u:ann`);
      const dialog = page.getByRole('dialog', { name: 'Limit of Ann Smith on Usage' });
      await dialog.getByLabel('Reason').fill('typed before');
      await page.context().clearCookies();
      await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('30');
      const again = page.getByRole('dialog', { name: 'Your session has ended' });
      await again.waitFor();
      await logIn(page);
      await again.waitFor({ state: 'hidden' });
      t.equal(await dialog.getByLabel('Reason').inputValue(), 'typed before');
      await dialog.getByRole('button', { name: 'Save limit' }).click();
      await dialog.waitFor({ state: 'hidden' });
      const { body } = await running.api('GET', '/orgs/acme/limits/usage:u:ann');
      t.match(body, { percent: 30 });
    },
  );

  await t.test('the API fails: what is shown stays, and says that it is not up to date', async () => {
    let isUp = false;
    await page.route('**/v1/orgs/acme/limits?**', (route) => {
      // What the page reads again by itself would take the button away.
      const isBackground = 'quotagate-console' in route.request().headers();
      return isUp && !isBackground ? route.continue() : route.fulfill({ status: 500, body: '{}' });
    });
    await page.getByRole('button', { name: 'Blocked', exact: true }).click();
    await page.getByText(/The admin API failed\. Try again/).waitFor();
    isUp = true;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('row').filter({ hasText: 'Ben' }).waitFor();
    await page.unrouteAll();
  });

  await t.test('a draft survives a reload', async (t) => {
    await page.goto(`${running.url}orgs/acme/limits?quota=lds&set=new`);
    await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('123');
    await page.reload();
    t.equal(await page.getByRole('textbox', { name: 'Limit', exact: true }).inputValue(), '123');
    await page.keyboard.press('Escape');
    await page.getByText('Discard what you typed?').waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  await t.test('theme and language stay after a reload', async (t) => {
    await page.getByRole('button', { name: /theme, language, log out/ }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.getByRole('button', { name: /theme, language, log out/ }).click();
    await page.getByRole('menuitemradio', { name: 'Español' }).click();
    await page.reload();
    await page.getByRole('heading', { name: 'Límites', exact: true }).waitFor();
    t.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    t.equal(await page.evaluate('getComputedStyle(document.documentElement).colorScheme'), 'dark');
  });

  await t.test('a login at the identity provider comes back to the page that was asked for', async (t) => {
    const context = await running.browser.newContext({ locale: 'en-GB' });
    const [other, aside] = [await context.newPage(), await context.newPage()];
    await aside.goto(running.url);
    // The provider has its own tests (`test/admin/oidc-login.test.ts`): here another page of this browser logs in.
    const ways = { methods: ['token', 'code'], oidc: { url: '/login/oidc' }, refused: null };
    await other.route('**/v1/login', (route) => route.fulfill({ json: ways }));
    await other.route('**/login/oidc', async (route) => {
      await logIn(aside);
      await aside.getByRole('heading', { name: 'Acme Maps' }).waitFor();
      await route.fulfill({ status: 302, headers: { location: '/console/' } });
    });
    const asked = `${running.url}orgs/acme/limits?quota=lds&status=blocked`;
    await other.goto(asked);
    await other.getByRole('link', { name: 'Log in with your company account' }).click();
    await other.getByRole('tab', { name: 'LDS', selected: true }).waitFor();
    t.equal(other.url(), asked);
    await context.close();
  });

  await t.test('log out', async (t) => {
    await page.getByRole('button', { name: /cerrar sesión/ }).click();
    await page.getByRole('menuitem', { name: 'Cerrar sesión' }).click();
    await page.getByRole('heading', { name: 'Iniciar sesión' }).waitFor();
    const status = await page.evaluate(
      `fetch('/v1/orgs', { headers: { 'QuotaGate-Console': '1' } }).then((answer) => answer.status)`,
    );
    t.equal(status, 401);
  });
});
