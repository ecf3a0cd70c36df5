/** Usage history, events and the audit log in the console: what they show of the API, their filters, files and acts. */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { type Console, csvOf, MARKUP, rowOf, startConsole } from './console.js';

test('history, events and audit', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  await running.api('POST', '/orgs/acme/limits', { user: 'eve', quota: 'usage', units: 10 });
  await running.call('eve', 2);
  const page = await running.open('orgs/acme/overview');
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();

  await t.test('Z13: from the overview to the usage history, a chart with its sums beside it', async (t) => {
    await page.getByRole('main').getByRole('link', { name: 'Usage history' }).click();
    await page.getByRole('heading', { name: 'Usage history' }).waitFor();
    await page.locator('canvas').waitFor();
    t.match(await rowOf(sums(page), 'sql').innerText(), /60\s+100%\s+60\s+2/, 'units, share, raw, refused');
  });

  await t.test('C23: by user, and cumulative; the address can be shared', (t) => byUser(t, page));
  await t.test('C23: ranges, refused requests, and quotas together', (t) => ranges(t, running, page));
  await t.test('C24: the history as CSV', async (t) => {
    await page.goto(`${running.url}orgs/acme/history?by=group`);
    const [head, ...lines] = (await csvOf(page)).trim().split('\r\n');
    t.equal(head, 'bucket,group,quota,units,raw,refused_user,refused_group,refused_org');
    t.match(lines.join('\n'), /,analysts,usage,50,50,0,0,0/);
  });

  await t.test('C24: who was blocked, from which action, and how often', (t) => events(t, running, page));
  await t.test('filters of events are in the address', (t) => eventFilters(t, running, page));
  await t.test('a raise from the row of an event', (t) => raise(t, running, page));
  await t.test('Z15: the audit log with the difference, filters and CSV', (t) => audit(t, running, page));
  await t.test('tokens and logins, for tokens that may read them', (t) => access(t, running, page));
  t.equal(await page.evaluate('window.hacked'), undefined, 'names are text');
});

const sums = (page: Page) => page.getByRole('region', { name: 'Sums of this time' }).first();

async function byUser(t: Test, page: Page): Promise<void> {
  await page.getByRole('group', { name: 'By', exact: true }).getByRole('button', { name: 'User' }).click();
  await rowOf(sums(page), MARKUP).waitFor();
  t.match(await rowOf(sums(page), 'Ann Smith').innerText(), /30\s+50%/);
  t.match(await sums(page).getByRole('link', { name: 'Ben' }).getAttribute('href'), /\/users\/ben$/);
  await page.getByRole('button', { name: 'Cumulative' }).click();
  await page.reload();
  await page.getByText('As a table').click();
  const today = page.getByRole('table').first().getByRole('row').last();
  t.match(await today.innerText(), /30\s+20\s+10/, 'the largest first');
  t.match(page.url(), /by=user&figures=cumulative/);
}

async function ranges(t: Test, running: Console, page: Page): Promise<void> {
  for (const range of ['7 days', '90 days', 'This period', 'Year']) {
    await page.getByRole('button', { name: range }).click();
    await rowOf(sums(page), 'Ann Smith').waitFor();
  }
  t.equal(await page.getByText('Per week').count(), 1, 'a year is shown by week');
  await page.getByLabel('Show', { exact: true }).selectOption('refused');
  t.match(await rowOf(sums(page), 'Ben').innerText(), /20\s+50%\s+20\s+1/);
  await page.goto(`${running.url}orgs/acme/history?by=quota`);
  t.match(await rowOf(sums(page), 'Usage').innerText(), /Usage units\s+60\s+60\s+2/);
  await page.goto(`${running.url}orgs/acme/history?quota=lds`);
  await page.getByRole('heading', { name: 'Nothing consumed' }).waitFor();
}

async function events(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Events' }).click();
  const row = rowOf(page, 'Ben').filter({ hasText: 'Limit on Usage reached' });
  t.match(await row.innerText(), /Blocked[\s\S]*sql[\s\S]*20\s+of 20 units[\s\S]*1/);
  await rowOf(page, MARKUP).first().waitFor();
  await running.call('ben', 2);
  await row.getByRole('cell', { name: '3', exact: true }).waitFor();
  t.match(await csvOf(page), /blocked,user,ben,Ben,usage,units,sql,ben,/);
}

async function eventFilters(t: Test, running: Console, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Thresholds' }).click();
  await page.getByText('Limit on Usage reached').first().waitFor({ state: 'hidden' });
  await page.getByRole('combobox', { name: 'User or group' }).fill('Ben');
  await page.getByRole('option', { name: /^Ben/ }).click();
  t.match(page.url(), /kind=threshold&who=ben/);
  await page.getByRole('button', { name: 'User or group: ben' }).click();
  await page.goto(`${running.url}orgs/acme/events?action=maps&since=7`);
  await page.getByRole('button', { name: 'Show all' }).click();
  await rowOf(page, 'Ben').first().waitFor();
  await page.getByRole('button', { name: 'sql' }).first().click();
  await page.getByRole('button', { name: 'Action: sql' }).waitFor();
}

async function raise(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/events?kind=blocked`);
  await page.getByRole('button', { name: 'Raise: Ben, Usage' }).click();
  const dialog = page.getByRole('dialog', { name: 'Raise the limit of Ben on Usage' });
  await dialog.getByLabel('Raise by').fill('500');
  await dialog.getByRole('button', { name: 'Friday evening' }).click();
  await dialog.getByLabel('Reason').fill('release week');
  await dialog.getByRole('button', { name: 'Raise limit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.same(await running.call('ben'), [200]);
}

async function audit(t: Test, running: Console, page: Page): Promise<void> {
  await page.goto(`${running.url}orgs/acme/audit`);
  t.match(
    await rowOf(page, 'Limit raised').innerText(),
    /Ben on Usage|ben on Usage[\s\S]*500[\s\S]*release week/,
  );
  await running.api('PATCH', '/orgs/acme/limits/usage:u:eve', { units: 25, reason: MARKUP });
  const row = rowOf(page, 'Limit changed');
  await row.getByText(MARKUP).waitFor();
  t.match(await row.innerText(), /eve on Usage[\s\S]*Units\s+before:\s+10\s+after:\s+25/, 'without a reload');
  await page.getByLabel('Changes of').selectOption('user');
  await page.getByRole('heading', { name: 'Nothing matches these filters' }).waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByLabel('Part of the name of who made it').fill('nobody');
  await page.getByRole('heading', { name: 'Nothing matches these filters' }).waitFor();
  await page.goto(`${running.url}orgs/acme/audit?action=limit&subject=limit:usage:u:eve`);
  t.equal((await csvOf(page)).trim().split('\r\n').length, 3, 'head, added, changed');
}

async function access(t: Test, running: Console, page: Page): Promise<void> {
  const other = await running.open('', {}, 'qga_guessed_wrong');
  await other.getByText('This token is unknown, expired or revoked.').waitFor();
  await other.context().close();
  await page.goto(`${running.url}orgs/acme/audit`);
  await page.getByRole('tab', { name: 'Tokens and logins' }).click();
  await page.getByLabel('Entries about').selectOption('login');
  await rowOf(page, 'Login failed').first().waitFor();
  t.match(await rowOf(page, 'Login failed').first().innerText(), /from 127\.0\.0\.1[\s\S]*token guessed/);
  t.match(await csvOf(page), /token guessed,login\.fail,peer:127\.0\.0\.1,/);
  const { body } = await running.api('POST', '/tokens', {
    name: 'dashboard',
    role: 'viewer',
    orgs: ['acme'],
  });
  await page.getByLabel('Entries about').selectOption('token');
  await rowOf(page, 'dashboard').getByText('Admin token created').waitFor();
  const viewer = await running.open('orgs/acme/audit?log=access', {}, (body as { token: string }).token);
  await rowOf(viewer, 'Limit raised').waitFor();
  t.equal(await viewer.getByRole('tab').count(), 0, 'only the log of the org');
  await viewer.context().close();
}
