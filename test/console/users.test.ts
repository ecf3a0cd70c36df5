/** Users are found, invited, imported, deactivated and removed in the console, caps are edited in the table; groups have members. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { type Console, dialogOf, MARKUP, rowOf, startConsole } from './console.js';

test('users', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  const page = await running.open('orgs/acme/users');
  await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
  await rowOf(page, 'Ann Smith').waitFor();

  await t.test('Z5 to Z9: seats, name and e-mail, status, cap in percent, and what is left', async (t) => {
    t.match(await page.locator('.page-head').innerText(), /3 of 5 seats used/);
    t.match(
      await rowOf(page, 'Ann Smith').innerText(),
      /ann@acme\.example[\s\S]*admin[\s\S]*Analysts[\s\S]*Active[\s\S]*20%[\s\S]*1,000 units[\s\S]*30[\s\S]*970/,
    );
    t.match(await rowOf(page, 'ben@acme').innerText(), /Blocked[\s\S]*20 units/);
  });

  await t.test('a name with markup is shown as text', async (t) => {
    t.equal(await rowOf(page, MARKUP).count(), 1);
    t.equal(await page.evaluate('window.hacked'), undefined);
  });

  await t.test('Z15: search and filter, in an address that can be shared', async (t) => {
    await page.getByRole('searchbox').fill('ben@');
    await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
    t.match(page.url(), /q=ben/);
    await page.goto(`${running.url}orgs/acme/users?status=inactive`);
    await page.getByRole('heading', { name: 'Nothing matches these filters' }).waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByTitle('Show only the role admin').click();
    await rowOf(page, 'ben@acme').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Show all roles, not only admin' }).click();
    await page.getByLabel('Group', { exact: true }).selectOption('eng');
    await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
    await rowOf(page, 'ben@acme').waitFor();
  });

  await t.test('Z8, Z10: a cap is edited in the table, with a warning before it blocks', (t) =>
    editCap(t, running, page),
  );
  await t.test('Z11, Z12: the caps do not sum to 100%: distribute evenly is offered', async (t) => {
    await page.getByText(/The caps of the active users sum to/).waitFor();
    t.equal(await page.getByRole('button', { name: 'Distribute evenly' }).count(), 1);
  });
  await t.test('Z14: invite a user', (t) => invite(t, running, page));
  await t.test('import: problems by line, then all rows', (t) => importUsers(t, running, page));
  await t.test('Z15: a removed user is refused, frees the seat at once, and can return', (t) =>
    removeAndReturn(t, running, page),
  );
  await t.test('deactivate: the next request is refused', (t) => deactivate(t, running, page));
  await t.test('a user: state, figures, the limits that apply, consumption, refusals', (t) =>
    userPage(t, running, page),
  );
  await t.test('C10, C20: groups: create, add a member, a limit on the combined consumption, delete', (t) =>
    groupPages(t, running, page),
  );
});

async function editCap(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/users`);
  await page.getByRole('button', { name: `Set the cap of ${MARKUP}` }).click();
  await page.keyboard.type('20');
  await page.keyboard.press('Enter');
  await rowOf(page, MARKUP).getByText('1,000 units').waitFor();

  await page.getByRole('button', { name: 'Change the cap of Ann Smith' }).click();
  const input = page.getByRole('textbox', { name: 'Cap of Ann Smith' });
  await input.fill('0');
  await page.keyboard.press('Enter');
  await page.getByText('Enter a number greater than 0. To lift a cap, delete it.').waitFor();
  await input.fill('0.5');
  await page.keyboard.press('Enter');
  await page.getByText('Blocks at once: 30 of 25 units consumed.').waitFor();
  t.same(await running.call('ann'), [200], 'nothing is written before the warning is seen');
  await page.getByRole('button', { name: 'Save and block' }).click();
  await rowOf(page, 'Ann Smith').getByText('Blocked').waitFor();
  t.same(await running.call('ann'), [429]);

  await page.getByRole('button', { name: 'Change the cap of Ann Smith' }).click();
  await input.fill('30');
  await running.api('PATCH', '/orgs/acme/limits/usage:u:ann', { units: 900 });
  await page.keyboard.press('Enter');
  await page.getByText('Someone else set 900 units meanwhile.').waitFor();
  await page.getByRole('button', { name: 'Save mine' }).click();
  await rowOf(page, 'Ann Smith').getByText('1,500 units').waitFor();
}

async function invite(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Invite user' }).click();
  const dialog = dialogOf(page, 'Invite user');
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  await dialog.getByText('Enter the id of the user.').waitFor();
  await dialog.getByLabel('User id').fill('kim');
  await dialog.getByLabel('Name').fill('Kim');
  await dialog.getByRole('combobox', { name: 'Add a group' }).fill('eng');
  await dialog.getByRole('option', { name: /Engineering/ }).waitFor();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Leave Engineering' }).waitFor();
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  await rowOf(page, 'Kim').getByText('Invited').waitFor();
  const { body } = await running.api('GET', '/orgs/acme/users/kim');
  t.match(body, { name: 'Kim', status: 'invited', groups: ['eng'] });
}

async function importUsers(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Import CSV' }).click();
  const dialog = dialogOf(page, 'Import users from CSV');
  const choose = (text: string) =>
    dialog
      .getByLabel('CSV file')
      .setInputFiles({ name: 'users.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await choose('id,email,groups\nlee,no address,\nlou,,nobody\n');
  await dialog.getByText('Nothing is imported: 1 problem.', { exact: false }).waitFor();
  t.match(await dialog.getByRole('row').nth(1).innerText(), /2\s+email/);
  await choose('id,name,groups\nlee,Lee,\nkim,Kim Lee,eng;analysts\n');
  await dialog.getByText('1 new, 1 changed, 0 as they are.', { exact: false }).waitFor();
  await dialog.getByRole('button', { name: 'Import 2 users' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await rowOf(page, 'Kim Lee').waitFor();
  const { body } = await running.api('GET', '/orgs/acme/users/kim');
  t.match(body, { groups: ['eng', 'analysts'] });
}

async function removeAndReturn(t: Test, running: Console, page: Page): Promise<void> {
  t.same(await running.call('ann'), [200]);
  await page.getByRole('button', { name: 'Actions for Ann Smith' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const dialog = dialogOf(page, 'Remove Ann Smith?');
  const text = await dialog.innerText();
  t.match(text, /Every request of Ann Smith is refused at once/);
  t.match(text, /3 of 5 seats used then/);
  t.match(text, /What the user consumed \(Usage: 50 units\) stays counted/);
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
  t.same(await running.call('ann'), [403]);

  await page.goto(`${running.url}orgs/acme/users?status=removed`);
  await page.getByRole('button', { name: 'Actions for Ann Smith' }).click();
  await page.getByRole('menuitem', { name: 'Return' }).click();
  await dialogOf(page, 'Return Ann Smith?').getByRole('button', { name: 'Return' }).click();
  await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
  t.same(await running.call('ann'), [200]);
}

async function deactivate(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/users?deactivate=eve`);
  const dialog = dialogOf(page, `Deactivate ${MARKUP}?`);
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await rowOf(page, MARKUP).getByText('Inactive').waitFor();
  t.same(await running.call('eve'), [403]);
}

async function userPage(t: Test, running: Console, page: Page): Promise<void> {
  t.same(await running.call('ben'), [429]);
  await page.goto(`${running.url}orgs/acme/users`);
  await page.getByRole('link', { name: 'Ben' }).click();
  await page.getByRole('heading', { name: 'Ben', level: 1 }).waitFor();
  const limits = page.getByRole('table', { name: 'Limits that apply on Usage' });
  await limits.waitFor();
  const text = await limits.innerText();
  t.match(
    text,
    /This user[\s\S]*20 units[\s\S]*Group Analysts[\s\S]*3,000 units[\s\S]*Pool[\s\S]*5,000 units/,
  );
  t.match(await limits.getByRole('row').filter({ hasText: 'This user' }).innerText(), /Binds first/);
  await page.getByRole('tab', { name: 'Consumption' }).click();
  await page.getByRole('img', { name: 'Consumption of Usage by Ben per day and action' }).waitFor();
  await page.getByRole('tab', { name: 'Refusals' }).click();
  await page.getByRole('row').filter({ hasText: '20 units' }).first().waitFor();
  await page.getByRole('tab', { name: 'Keys' }).click();
  await page.getByRole('heading', { name: 'No API keys' }).waitFor();
  await page.getByRole('tab', { name: 'Groups' }).click();
  await page.getByRole('link', { name: 'Engineering' }).click();
  await page.getByRole('heading', { name: 'Engineering', level: 1 }).waitFor();
}

async function groupPages(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/groups`);
  t.match(await rowOf(page, 'Analysts').innerText(), /3,000 units/);
  await page.getByRole('button', { name: 'Create group' }).click();
  const create = dialogOf(page, 'Create group');
  await create.getByLabel('Group id').fill('ops');
  await create.getByLabel('Name').fill(`Ops ${MARKUP}`);
  await create.getByRole('button', { name: 'Create group' }).click();
  await page.getByRole('link', { name: `Ops ${MARKUP}` }).click();
  await page.getByRole('heading', { name: `Ops ${MARKUP}`, level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Add member' }).first().click();
  const add = page.getByRole('dialog');
  await add.getByRole('combobox', { name: 'User' }).fill('ann');
  await page.getByRole('option', { name: /Ann Smith/ }).waitFor();
  await page.keyboard.press('Enter');
  await add.getByRole('button', { name: 'Add member' }).click();
  await rowOf(page, 'Ann Smith').waitFor();
  t.equal(await page.evaluate('window.hacked'), undefined);

  await page.goto(`${running.url}orgs/acme/groups?quota=usage&setGroup=ops`);
  await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('5');
  const limit = page.getByRole('dialog', { name: 'Set limit on Usage' });
  await limit.getByText('Nobody is blocked', { exact: false }).waitFor();
  await limit.getByRole('button', { name: 'Set limit' }).click();
  await limit.waitFor({ state: 'hidden' });
  const { body } = await running.api('GET', '/orgs/acme/limits/usage:g:ops');
  t.match(body, { units: 5 });
  t.same(await running.call('ann'), [429], 'the ceiling of the group holds, whatever the member has left');

  await page.goto(`${running.url}orgs/acme/groups?deleteGroup=ops`);
  const dialog = page.getByRole('dialog');
  t.match(await dialog.innerText(), /1 member leaves the group; the user stays[\s\S]*Usage 5 units/);
  await dialog.getByRole('button', { name: 'Delete group' }).click();
  await rowOf(page, 'Ops').waitFor({ state: 'hidden' });
  t.same(await running.call('ann'), [200]);
}
