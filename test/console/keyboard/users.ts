/** Acts on users and groups. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { type Console, MARKUP, rowOf } from '../console.js';
import { activate, choose, closed, find, open, press, tabTo, type } from './keys.js';

export async function users(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'users');
  await t.test('set a cap in the table', (t) => setCap(t, running, page));
  await t.test('invite a user', () => invite(page));
  await t.test('edit, deactivate, activate, remove and return a user', (t) => changeUser(t, running, page));
  await t.test('import a file', (t) => importUsers(t, running, page));
  await t.test('create, fill, rename and delete a group', (t) => groups(t, running, page));
}

async function setCap(t: Test, running: Console, page: Page): Promise<void> {
  await activate(page, new RegExp(`the cap of ${MARKUP}$`));
  await page.getByRole('textbox', { name: `Cap of ${MARKUP}` }).waitFor();
  await page.keyboard.type('10');
  await press(page, 'Enter');
  await rowOf(page, MARKUP).getByText('500 units').waitFor();
  t.match((await running.api('GET', '/orgs/acme/limits/usage:u:eve')).body, { percent: 10 });
}

async function invite(page: Page): Promise<void> {
  await activate(page, /^Invite user/);
  await type(page, /^User id/, 'kim');
  await type(page, /^Name/, 'Kim');
  await press(page, 'Enter');
  await closed(page);
  await rowOf(page, 'Kim').getByText('Invited').waitFor();
}

async function changeUser(t: Test, running: Console, page: Page): Promise<void> {
  const status = async () =>
    ((await running.api('GET', '/orgs/acme/users/kim')).body as { status: string }).status;
  const act = async (entry: string, button: RegExp): Promise<string> => {
    await choose(page, /^Actions for Kim/, entry);
    await activate(page, button);
    await closed(page);
    return status();
  };
  await choose(page, /^Actions for Kim/, 'Edit profile and groups');
  await type(page, /^Role/, 'analyst');
  await find(page, /^Add a group/, 'eng', /Engineering/);
  await activate(page, /^Save/);
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/users/kim')).body, { role: 'analyst', groups: ['eng'] });
  t.equal(await act('Deactivate', /^Deactivate$/), 'inactive');
  await rowOf(page, 'Kim').getByText('Inactive').waitFor();
  t.equal(await act('Activate', /^Activate$/), 'active');
  await rowOf(page, 'Kim').getByText('Active', { exact: true }).waitFor();
  t.equal(await act('Remove', /^Remove$/), 'removed');
  await open(page, running, 'users?status=removed');
  t.equal(await act('Return', /^Return$/), 'active');
}

async function importUsers(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'users');
  await activate(page, /^Import CSV/);
  await tabTo(page, /^CSV file/);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, 'Space')]);
  const buffer = Buffer.from('id,name\nlee,Lee\n');
  await chooser.setFiles({ name: 'users.csv', mimeType: 'text/csv', buffer });
  await page.getByText('1 row is ready.').waitFor();
  await activate(page, /^Import 1 user/);
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/users/lee')).body, { name: 'Lee' });
}

async function groups(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'groups');
  await activate(page, /^Create group/);
  await type(page, /^Group id/, 'ops');
  await type(page, /^Name/, 'Ops');
  await press(page, 'Enter');
  await closed(page);
  await activate(page, /^Ops$/);
  await page.getByRole('heading', { name: 'Ops', level: 1 }).waitFor();
  await activate(page, /^Add member/);
  await find(page, /^User/, 'lee', /Lee/);
  await activate(page, /^Add member/);
  await closed(page);
  await rowOf(page, 'Lee').waitFor();
  await activate(page, /^Remove from group: Lee/);
  await activate(page, /^Remove from group$/);
  await closed(page);
  await page.getByRole('heading', { name: 'No members yet' }).waitFor();
  await open(page, running, 'groups');
  await choose(page, /^Actions for Ops/, 'Rename');
  await type(page, /^Name/, 'Operations');
  await press(page, 'Enter');
  await closed(page);
  await rowOf(page, 'Operations').waitFor();
  await choose(page, /^Actions for Operations/, 'Delete group');
  await activate(page, /^Delete group$/);
  await closed(page);
  t.equal((await running.api('GET', '/orgs/acme/groups/ops')).status, 404);
}
