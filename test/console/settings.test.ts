/** Settings of the org, plans and top-ups, API keys, admin tokens, notices and requests in flight are managed in the console. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { charges } from '../../src/quota/charge.js';
import { addDelivery, applyNow } from '../admin/support.js';
import { accessibilityProblems, skipWithoutBrowser } from '../support/browser.js';
import { as, ask } from '../support/gateway.js';
import { type Console, dialogOf, MARKUP, rowOf, startConsole } from './console.js';

test('settings', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  const page = await running.open('orgs/acme/settings');
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();

  await t.test('Z2, Z3, Z4, Z5: plan, extra balance, cycle and seats', async (t) => {
    await rowOf(page, 'Usage').waitFor();
    t.match(
      await page.getByRole('main').innerText(),
      /3 of 5 used[\s\S]*Every month, on day 20[\s\S]*Europe\/Madrid/,
    );
    t.match(await rowOf(page, 'Usage').innerText(), /Hard\s+5,000 units\s+0\s+50\s+4,950/);
  });
  await t.test('name, seats and cycle', (t) => changeOrg(t, running, page));
  await t.test('Z3: a top-up says what changes, and adds it once', (t) => topUp(t, running, page));
  await t.test('a plan: now with a warning, and from the next cycle', (t) => changePlan(t, running, page));
  await t.test('a plan is offered for the quotas that have none', (t) => addPlan(t, running, page));
  await t.test('API keys: created, shown once, used, deleted', (t) => keys(t, running, page));
  await t.test('admin tokens: role and orgs, shown once, deleted', (t) => tokens(t, running, page));
  await t.test('in flight: who holds what, and release', (t) => inFlight(t, running, page));
  await t.test('C22: notices: thresholds, switches and recipients', (t) => noticeRules(t, running, page));
  await t.test('webhooks: the secret once, a new secret, test, off, delete', (t) =>
    webhooks(t, running, page),
  );
  await t.test('a message that was not delivered is sent again', (t) => failures(t, running, page));
  await t.test('a viewer sees no button', (t) => viewer(t, running));
  await t.test('archive refuses requests, and restore admits them', (t) => archive(t, running, page));
  t.equal(await page.evaluate('window.hacked'), undefined, 'names with markup are text');
});

async function changeOrg(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Edit' }).click();
  const dialog = dialogOf(page, 'Change the organization');
  await dialog.getByLabel('Name').fill(`Acme ${MARKUP}`);
  await dialog.getByLabel('A cycle lasts a').selectOption('week');
  t.equal(await dialog.getByLabel('Begins on weekday').inputValue(), '1', 'where a week begins');
  await dialog.getByLabel('A cycle lasts a').selectOption('month');
  t.equal(await dialog.getByLabel('Begins on day of the month').inputValue(), '20', 'as it is now');
  await dialog.getByLabel('Seats').fill('2');
  await dialog.getByLabel('Begins on day of the month').fill('40');
  await dialog.getByText('Another cycle applies from its own next beginning.', { exact: false }).waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText(/must be/).waitFor();
  await dialog.getByLabel('Begins on day of the month').fill('21');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('3 seats are taken, more than 2').waitFor();
  await dialog.getByLabel('Seats').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const { body } = await running.api('GET', '/orgs/acme');
  t.match(body, { name: `Acme ${MARKUP}`, seats: 7, cycle: { anchor: 21 } });
}

async function topUp(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Top up Usage' }).click();
  const dialog = dialogOf(page, 'Top up Usage');
  await dialog.getByLabel('Add', { exact: true }).fill('2,500');
  const outcome = dialog.getByRole('table', { name: 'What changes' });
  t.match(
    await outcome.innerText(),
    /Extra balance\s+0 units\s+2,500 units\s+Pool\s+5,000 units\s+7,500 units\s+Left\s+4,950 units\s+7,450 units/,
  );
  await dialog.getByRole('button', { name: 'Add 2,500 units' }).click();
  await dialog.getByText('Say why. The audit log shows it.').waitFor();
  await dialog.getByLabel('Reason').fill('order 4711');
  // The answer is lost: the same again adds nothing.
  await page.route('**/extra', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await dialog.getByRole('button', { name: 'Add 2,500 units' }).click();
  await dialog.getByText(/The admin API cannot be reached/).waitFor();
  await page.unrouteAll();
  await dialog.getByRole('button', { name: 'Add 2,500 units' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const { body } = await running.api('GET', '/orgs/acme/plans/usage');
  t.match(body, { extraLeft: 2_500, pool: 7_500 });
}

async function changePlan(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/settings?plan=usage`);
  const dialog = dialogOf(page, 'Plan of Usage');
  await dialog.getByLabel('Allowance in a cycle').fill('6000');
  await dialog.getByText('The pool becomes 8,500 units.', { exact: false }).waitFor();
  await dialog.getByLabel('Begins').selectOption('next-cycle');
  await dialog.getByRole('button', { name: 'Save plan' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await rowOf(page, 'Usage').getByText('then 6,000', { exact: false }).waitFor();
  t.match(await rowOf(page, 'Usage').innerText(), /5,000 units\s+then 6,000, hard, from/);
  await page.goto(`${running.url}orgs/acme/settings?plan=lds`);
  const lds = dialogOf(page, 'Plan of LDS');
  await lds.getByLabel('Allowance in a cycle').fill('0');
  await lds.getByText('All of it is consumed at once: 0 of 0 calls.').waitFor();
  await lds.getByLabel('Mode').selectOption('soft');
  await lds.getByText('When all is consumed, requests go on', { exact: false }).waitFor();
  await lds.getByLabel('Mode').selectOption('hard');
  await lds.getByRole('button', { name: 'Save and block' }).click();
  await lds.waitFor({ state: 'hidden' });
  t.match((await running.api('GET', '/orgs/acme/plans/lds')).body, { allowance: 0, mode: 'hard' });
}

async function addPlan(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/globex/settings`);
  await page.getByRole('button', { name: 'Add plan' }).click();
  const dialog = dialogOf(page, 'Add a plan');
  t.same(await dialog.getByLabel('Quota').getByRole('option').allInnerTexts(), ['LDS']);
  t.same(await accessibilityProblems(page), []);
  await dialog.getByLabel('Allowance in a cycle').fill('40');
  await dialog.getByRole('button', { name: 'Save plan' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.match(await rowOf(page, 'LDS').innerText(), /Hard\s+40 calls/);
  await page.getByRole('button', { name: 'Add plan' }).waitFor({ state: 'hidden' });
}

async function keys(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/keys`);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await page.getByRole('button', { name: 'Create key' }).first().click();
  const dialog = dialogOf(page, 'Create API key');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  await dialog.getByText('Choose a user from the list.').waitFor();
  await dialog.getByRole('combobox', { name: 'User' }).fill('ann');
  await page.getByRole('option', { name: /Ann Smith/ }).waitFor();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Name').fill(MARKUP);
  await dialog.getByLabel('Expires').selectOption('90');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  const made = dialogOf(page, 'API key created');
  t.match(await made.getByLabel('API key').inputValue(), /^qg/);
  await made.getByRole('button', { name: 'Done' }).click();
  await page.getByLabel('Search keys').fill('no key has this name');
  await page.getByRole('button', { name: 'Show all' }).click();
  t.match(await rowOf(page, MARKUP).innerText(), /ann[\s\S]*by bootstrap/);
  await page.getByRole('button', { name: `Delete: ${MARKUP}` }).click();
  const remove = dialogOf(page, `Delete the key ${MARKUP}?`);
  await remove.getByText('It sends requests as ann.', { exact: false }).waitFor();
  await remove.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
}

async function tokens(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/tokens?create=token`);
  const dialog = dialogOf(page, 'Create admin token');
  await dialog.getByLabel('Name').fill(`dashboard ${MARKUP}`);
  await dialog.getByLabel('Role').selectOption('quota-manager');
  await dialog.getByText('Changes users, groups, limits and notices', { exact: false }).waitFor();
  await dialog.getByLabel('Organizations').fill('acme, nowhere');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Organizations').fill('acme, globex');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const made = dialogOf(page, 'Admin token created');
  const token = await made.getByLabel('Admin token').inputValue();
  t.match(token, /^qga_/);
  await made.getByRole('button', { name: 'Done' }).click();
  t.match(await rowOf(page, 'dashboard').innerText(), /Quota manager\s+acme, globex/);
  const other = await running.open('orgs/acme/tokens', {}, token);
  await other.getByRole('heading').first().waitFor();
  t.equal(await other.getByRole('link', { name: 'Admin tokens' }).count(), 0, 'not for this role');
  await page.getByRole('button', { name: 'Delete: dashboard' }).click();
  await dialogOf(page, /Delete the token dashboard/)
    .getByRole('button', { name: 'Delete' })
    .click();
  await rowOf(page, 'dashboard').waitFor({ state: 'hidden' });
  await other.goto(`${running.url}orgs/acme/overview`);
  await other.getByRole('button', { name: 'Log in', exact: true }).waitFor();
  await other.context().close();
}

async function inFlight(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/in-flight`);
  await page.getByRole('heading', { name: 'Nothing in flight' }).waitFor();
  const reserve = charges('sql', [{ quota: 'usage', units: 400, kind: 'held' }]);
  const op = {
    kind: 'reserve',
    user: 'ann',
    claims: '',
    charges: reserve,
    hold: 'h1',
    ttlMs: 60_000,
  } as const;
  await applyNow(running.gateway.app.ledger, 'acme', [op]);
  const row = rowOf(page, 'h1');
  await row.waitFor();
  t.match(await row.innerText(), /ann[\s\S]*sql[\s\S]*40 units of Usage/, 'without a reload');
  await page.getByRole('button', { name: 'Release what ann' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('40 units of Usage can be consumed by others at once.').waitFor();
  t.same(await accessibilityProblems(page), []);
  await dialog.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('heading', { name: 'Nothing in flight' }).waitFor();
  t.match((await running.api('GET', '/orgs/acme/plans/usage')).body, { held: 0, consumed: 50 });
}

async function noticeRules(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/notices`);
  await page.getByText(/the configuration has no mail server/).waitFor();
  t.match(await rowOf(page, 'A user').innerText(), /A user\s+100%\s+On/);
  await page.getByRole('button', { name: 'When notices are sent' }).click();
  const when = dialogOf(page, 'When notices are sent');
  const users = when.getByRole('group', { name: 'A user' });
  await users.getByLabel('When this much is consumed').fill('80, 101');
  await when.getByRole('button', { name: 'Save' }).click();
  await when.getByText('Enter whole numbers from 1 to 100').waitFor();
  await users.getByLabel('When this much is consumed').fill('80, 100');
  await users.getByLabel('Also when a request is refused').uncheck();
  await when.getByRole('button', { name: 'Save' }).click();
  await when.waitFor({ state: 'hidden' });
  await rowOf(page, 'A user').getByText('80%, 100%').waitFor();
  t.match(await rowOf(page, 'A user').innerText(), /A user\s+80%, 100%\s+Off/);
  await page.getByRole('button', { name: 'Who gets e-mail' }).click();
  const email = dialogOf(page, 'Who gets e-mail');
  await email.getByLabel('Further addresses').fill('ops@acme.example\nnobody');
  await email.getByRole('button', { name: 'Save' }).click();
  await email.getByRole('alert').waitFor();
  await email.getByLabel('Further addresses').fill('ops@acme.example');
  await email.getByRole('button', { name: 'Save' }).click();
  await email.waitFor({ state: 'hidden' });
  await page.getByText('ops@acme.example').waitFor();
  t.match((await running.api('GET', '/orgs/acme/notifications')).body, {
    thresholds: { users: [80, 100] },
    refusals: { users: false, groups: true },
    email: { recipients: ['ops@acme.example'] },
  });
}

async function webhooks(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/notices?tab=webhooks`);
  await page.getByRole('button', { name: 'Add webhook' }).click();
  const dialog = dialogOf(page, 'Add webhook');
  await dialog.getByLabel('URL').fill('ftp://hooks.example.com');
  await dialog.getByRole('button', { name: 'Add webhook' }).click();
  await dialog.getByText(/must be a URL such as/).waitFor();
  await dialog.getByLabel('URL').fill('http://127.0.0.1:9/hook');
  await dialog.getByRole('button', { name: 'Add webhook' }).click();
  const made = dialogOf(page, 'Secret of the webhook');
  const secret = await made.getByLabel('Secret').inputValue();
  await made.getByRole('button', { name: 'Done' }).click();
  const act = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'Actions for http://127.0.0.1:9/hook' }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  await act('Replace secret');
  await page.getByRole('dialog').getByRole('button', { name: 'Replace secret' }).click();
  const next = await made.getByLabel('Secret').inputValue();
  t.match(next, /^whsec_/);
  t.not(next, secret);
  await made.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Send test' }).click();
  const sent = dialogOf(page, 'Send a test message');
  await sent.getByText('http://127.0.0.1:9/hook').waitFor();
  await sent.getByRole('button', { name: 'Send' }).click();
  await sent
    .getByText(/Not delivered: /)
    .first()
    .waitFor();
  await sent.getByRole('button', { name: 'Close' }).last().click();
  await act('Turn off');
  await rowOf(page, '127.0.0.1:9').getByText('Off').waitFor();
  await act('Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'No webhooks' }).waitFor();
}

async function failures(t: Test, running: Console, page: Page): Promise<void> {
  await addDelivery(running.gateway.app.ledger, 'acme');
  await page.goto(`${running.url}orgs/acme/notices?tab=failures`);
  const row = rowOf(page, 'hooks.example.com');
  await row.waitFor();
  t.match(
    await row.innerText(),
    /Ann Smith: blocked · Usage 1,000 units[\s\S]*the receiver answered 500[\s\S]*9 attempts/,
  );
  await row.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('heading', { name: 'All delivered' }).waitFor();
}

async function viewer(t: Test, running: Console): Promise<void> {
  const { body } = await running.api('POST', '/tokens', { name: 'viewer', role: 'viewer', orgs: ['acme'] });
  const page = await running.open('orgs/acme/settings', {}, (body as { token: string }).token);
  for (const path of ['settings', 'notices', 'keys', 'in-flight']) {
    await page.goto(`${running.url}orgs/acme/${path}`);
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Loading…').waitFor({ state: 'detached' });
    const acts = /Edit|Top up|Archive|Create|Send|Release|Add/;
    t.equal(await page.getByRole('main').getByRole('button', { name: acts }).count(), 0, path);
  }
  await page.context().close();
}

async function archive(t: Test, running: Console, page: Page): Promise<void> {
  const status = async () => (await ask(running.gateway.gateway, '/v3/sql', { headers: as('ann') })).status;
  await page.goto(`${running.url}orgs/acme/settings`);
  await page.getByRole('button', { name: 'Archive' }).click();
  const dialog = dialogOf(page, /^Archive Acme/);
  await dialog.getByText('All requests are refused at once, of 3 users.').waitFor();
  await dialog.getByRole('button', { name: 'Archive' }).click();
  await page.getByText('This organization is archived', { exact: false }).waitFor();
  t.equal(await status(), 403);
  t.equal(await page.getByRole('button', { name: /Edit|Top up/ }).count(), 0);
  await page.getByRole('button', { name: 'Restore' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await page.getByText('This organization is archived', { exact: false }).waitFor({ state: 'hidden' });
  t.equal(await status(), 200);
}
