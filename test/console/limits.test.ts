/** Limits are set, changed, raised and deleted in the console, with a warning before whoever would be blocked at once. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { type Console, dialogOf, MARKUP, rowOf, startConsole } from './console.js';

test('limits', { skip: skipWithoutBrowser || skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const running = await startConsole({ redis: redis.url });
  t.teardown(async () => {
    await running.close();
    await redis.stop();
  });
  const page = await running.open('orgs/acme/limits');
  await page.getByRole('heading', { name: 'Limits' }).waitFor();

  await t.test('C12, C2: a tab per kind of quota', async (t) => {
    t.same(await page.getByRole('tab').allInnerTexts(), ['Usage', 'LDS']);
  });

  await t.test(
    'C14, C20, C21: the table has users and groups, role, limit, and what is consumed',
    async (t) => {
      await rowOf(page, 'Ann Smith').waitFor();
      t.match(
        await rowOf(page, 'Ann Smith').innerText(),
        /admin[\s\S]*1,000 units[\s\S]*20% of the pool[\s\S]*30[\s\S]*OK/,
      );
      t.match(await rowOf(page, 'Ben').first().innerText(), /20 units[\s\S]*20[\s\S]*100%[\s\S]*Blocked/);
      t.match(await rowOf(page, 'Analysts').innerText(), /Group[\s\S]*3,000 units[\s\S]*50/, 'combined');
    },
  );

  await t.test('Z10: 20 % of a pool of 5,000 is 1,000', async (t) => {
    t.match(await rowOf(page, 'Ann Smith').innerText(), /1,000 units/);
  });

  await t.test('C13: the empty state offers to set a limit', async (t) => {
    await page.getByRole('tab', { name: 'LDS' }).click();
    await page.getByRole('heading', { name: 'No limits on LDS' }).waitFor();
    t.equal(await page.getByRole('tabpanel').getByRole('button', { name: 'Set limit' }).count(), 1);
  });

  await t.test('C16: those that have a limit are disabled, with the reason', async (t) => {
    await page.goto(`${running.url}orgs/acme/limits?quota=usage&set=new`);
    await page.getByRole('combobox', { name: 'User or group' }).fill('ben');
    const option = page.getByRole('option', { name: /Ben/ });
    await option.waitFor();
    t.equal(await option.getAttribute('aria-disabled'), 'true');
    t.match(await option.innerText(), /Has a limit already: 20 units/);
  });

  await t.test('C18: a limit is greater than 0; there is no unlimited', async (t) => {
    const dialog = dialogOf(page, 'Set limit on Usage');
    t.match(await dialog.innerText(), /More than 0\. There is no unlimited: to lift a limit, delete it/);
    await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('0');
    await dialog.getByRole('button', { name: 'Set limit' }).click();
    await dialog.getByText('Enter a number greater than 0.').waitFor();
    await dialog.getByText('Choose a user or a group from the list.').waitFor();
  });

  await t.test('fields that change before the form is drawn again all keep their values', async (t) => {
    const dialog = dialogOf(page, 'Set limit on Usage');
    await page.evaluate(`for (const [text, value] of [['Limit', '7'], ['Reason', 'at once']]) {
      const label = [...document.querySelectorAll('dialog label')].find((one) => one.textContent.startsWith(text));
      const input = document.getElementById(label.htmlFor);
      input.value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }`);
    await dialog.getByText('Enter a number greater than 0.').waitFor({ state: 'hidden' });
    t.equal(await dialog.getByRole('textbox', { name: 'Limit', exact: true }).inputValue(), '7');
    t.equal(await dialog.getByLabel('Reason').inputValue(), 'at once');
  });

  await t.test('C15, C19: set below consumption: warned before, blocked at once', (t) =>
    setBelow(t, running, page),
  );
  await t.test('C17: change a limit; by a dialog that the address opens', (t) =>
    changeLimit(t, running, page),
  );
  await t.test('a temporary raise lets the next request through', (t) => raise(t, running, page));
  await t.test('another admin’s change meanwhile: both values are shown, and one is chosen', (t) =>
    conflict(t, running, page),
  );
  await t.test('C17, C7: delete a limit, and the next request passes', (t) => remove(t, running, page));
  await t.test('Z11, Z12: caps that do not sum to 100%, and distribute evenly', (t) =>
    distribute(t, running, page),
  );
  await t.test('a token that may only read sees no button, and a forced call is refused', (t) =>
    viewer(t, running),
  );
});

async function setBelow(t: Test, running: Console, page: Page): Promise<void> {
  await running.call('eve', 2);
  await page.goto(`${running.url}orgs/acme/limits?quota=usage&set=new`);
  const dialog = dialogOf(page, 'Set limit on Usage');
  const subject = page.getByRole('combobox', { name: 'User or group' });
  await subject.click();
  await page.getByRole('option', { name: 'Analysts' }).waitFor();
  // The list is still the one of before the typing: Enter waits for the one that is asked for.
  await page.route('**/v1/orgs/acme/users?**', (route) => setTimeout(() => void route.continue(), 300));
  await subject.fill('eve');
  await page.keyboard.press('Enter');
  await page.getByRole('option').first().waitFor({ state: 'hidden' });
  await page.unrouteAll();
  t.equal(await subject.inputValue(), MARKUP, 'a name with markup is text');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('15');
  await dialog.getByText(/will be blocked at once: 20 of 15 units consumed/).waitFor();
  await dialog.getByRole('button', { name: 'Save and block 1 user' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await rowOf(page, MARKUP).getByText('Blocked').waitFor();
  t.same(await running.call('eve'), [429]);
  t.equal(await page.evaluate('window.hacked'), undefined);
}

async function changeLimit(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/limits?quota=usage&edit=usage:u:eve`);
  const dialog = dialogOf(page, `Limit of ${MARKUP} on Usage`);
  await dialog.getByLabel('Unit of the limit').selectOption('percent');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('0.00001');
  await dialog.getByRole('button', { name: 'Save limit' }).click();
  await dialog.getByText('is less than the smallest unit of the current pool', { exact: true }).waitFor();
  await dialog.getByLabel('Unit of the limit').selectOption('units');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('40');
  await dialog.getByText('Nobody is blocked by this limit: 20 units would be left.').waitFor();
  await dialog.getByRole('button', { name: 'Save limit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.same(await running.call('eve'), [200]);
}

async function raise(t: Test, running: Console, page: Page): Promise<void> {
  t.same(await running.call('ben'), [429]);
  await page.goto(`${running.url}orgs/acme/limits?quota=usage`);
  await page.getByRole('button', { name: 'Actions for Ben' }).click();
  await page.getByRole('menuitem', { name: 'Raise for a time' }).click();
  const dialog = dialogOf(page, 'Raise the limit of Ben on Usage');
  await dialog.getByLabel('Raise by').fill('500');
  await dialog.getByRole('button', { name: 'Friday evening' }).click();
  await dialog.getByText('The limit becomes 520 units: 500 units left.').waitFor();
  await dialog.getByRole('button', { name: 'Raise limit' }).click();
  await dialog.getByText('Say why. The audit log shows it.').waitFor();
  await dialog.getByLabel('Reason').fill('release week');
  await dialog.getByRole('button', { name: 'Raise limit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.same(await running.call('ben'), [200]);
  await page.getByText(/raised by 500 until/).waitFor();
}

async function conflict(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/limits?quota=usage&edit=usage:g:analysts`);
  const dialog = dialogOf(page, 'Limit of Analysts on Usage');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('2500');
  await running.api('PATCH', '/orgs/acme/limits/usage:g:analysts', { units: 2_000 });
  await dialog.getByText('Nobody is blocked').waitFor();
  await dialog.getByRole('button', { name: 'Save limit' }).click();
  await dialog.getByText('Someone else changed this while you were editing.', { exact: false }).waitFor();
  t.match(await dialog.getByRole('row').nth(1).innerText(), /Limit\s+2500\s+2000/);
  await dialog.getByRole('button', { name: 'Save mine' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const { body } = await running.api('GET', '/orgs/acme/limits/usage:g:analysts');
  t.match(body, { units: 2_500 });
}

async function remove(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/limits?quota=usage&delete=usage:u:ben`);
  const dialog = dialogOf(page, 'Delete the limit of Ben on Usage?');
  t.match(await dialog.innerText(), /Ben can then consume what groups and the pool leave/);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.same(await running.call('ben'), [200]);
}

async function distribute(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/limits?quota=usage`);
  await page.getByText(/The caps of the active users sum to 20%, not 100%/).waitFor();
  await page.getByRole('button', { name: 'Distribute evenly' }).click();
  const dialog = dialogOf(page, 'Distribute Usage evenly?');
  await dialog.getByText(/3 active users get 1,666\.6 – 1,666\.7 units each/).waitFor();
  await dialog.getByText('1 limit in units is replaced.').waitFor();
  await dialog.getByRole('button', { name: 'Distribute evenly' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText(/The caps of the active users/).waitFor({ state: 'hidden' });
  const { body } = await running.api('GET', '/orgs/acme/limits?quota=usage&scope=user');
  t.equal((body as { items: unknown[] }).items.length, 3);
}

async function viewer(t: Test, running: Console): Promise<void> {
  const { body } = await running.api('POST', '/tokens', { name: 'viewer', role: 'viewer', orgs: ['acme'] });
  const shared = 'orgs/acme/limits?quota=usage&raise=usage:u:ann';
  const page = await running.open(shared, {}, (body as { token: string }).token);
  await rowOf(page, 'Ann Smith').waitFor();
  t.equal(await page.getByRole('dialog').count(), 0, 'a link to what it may not do opens the page');
  t.equal(await page.getByRole('button', { name: /Set limit|Edit|Actions for|Distribute/ }).count(), 0);
  const status = await page.evaluate(
    `fetch('/v1/orgs/acme/limits/usage:u:ann', { method: 'DELETE', headers: { 'QuotaGate-Console': '1' } }).then((answer) => answer.status)`,
  );
  t.equal(status, 403);
  await page.context().close();
}
