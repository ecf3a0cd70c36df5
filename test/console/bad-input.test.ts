/** What goes wrong around the console: names that would be markup, callers without rights, an API that fails, other admins, ended sessions. */
import type { Locator, Page, Route } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { type Console, dialogOf, loaded, logIn, rowOf, showPage, startConsole } from './console.js';
import { DIALOGS, FOREIGN, fillOrg, PAGES, showDialog } from './every-page.js';

test('bad input', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  await fillOrg(running);
  const page = await running.open('orgs/acme/overview');
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  await t.test('names that would be markup are shown as text', (t) => markup(t, running, page));
  await t.test('a viewer sees no act on any page, and a forced call is refused', (t) => viewer(t, running));
  await t.test('the API is slow, fails, is down, and is back, on every page', (t) =>
    failing(t, running, page),
  );
  await t.test('another admin changes the same', (t) => conflicts(t, running, page));
  await t.test('a session that ends while one types', (t) => endedSession(t, running, page));
  await t.test('a webhook that is not allowed says why', (t) => webhook(t, running, page));
});

/** `accessible.test.ts` looks for elements that a name has made, on every page and dialog. */
async function markup(t: Test, running: Console, page: Page): Promise<void> {
  for (const path of NAMED) {
    await showPage(page, `${running.url}orgs/acme/${path}`);
    await page.getByRole('main').filter({ hasText: '<img src=x' }).waitFor();
    t.equal(await page.evaluate(FOREIGN), 0, path);
  }
  t.equal(await page.evaluate('window.hacked'), undefined);
}

const NAMED = [
  'overview',
  'history?by=user',
  'events',
  'in-flight',
  'users',
  'groups',
  'limits',
  'keys',
  'tokens',
  'audit',
];

const ACTS =
  /^(Set|Edit|Actions|Distribute|Raise:|Answer|Invite|Import|Create|Add|Delete|Release|Send|Top up|Archive|Restore|Change|Remove)(?![a-z])/;

/** Each is a write that a page has a button for. */
const FORCED = [
  'DELETE limits/usage:u:ann',
  'PATCH users/ann',
  'DELETE groups/eng',
  'PUT plans/usage',
  'PUT notifications',
  'DELETE holds/h1',
  'POST keys',
  'DELETE ',
] as const;

async function viewer(t: Test, running: Console): Promise<void> {
  const { body } = await running.api('POST', '/tokens', { name: 'viewer', role: 'viewer', orgs: ['acme'] });
  const page = await running.open('orgs/acme/overview', {}, (body as { token: string }).token);
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  const main = page.getByRole('main');
  for (const path of PAGES.filter((one) => one !== 'tokens')) {
    await showPage(page, `${running.url}orgs/acme/${path}`);
    t.same(await main.getByRole('button', { name: ACTS }).allInnerTexts(), [], path);
  }
  t.equal(await page.getByRole('link', { name: 'Admin tokens' }).count(), 0);
  for (const { path } of DIALOGS.filter(({ open }) => open === undefined)) {
    await showPage(page, `${running.url}orgs/acme/${path}`);
    t.equal(await page.getByRole('dialog').count(), 0, `${path}: a link opens nothing`);
  }
  for (const call of FORCED) {
    const [method, path] = call.split(' ');
    t.equal(await page.evaluate(forced(`/v1/orgs/acme/${path}`.replace(/\/$/, ''), method)), 403, call);
  }
  await page.context().close();
}

const forced = (path: string, method = ''): string =>
  `fetch('${path}', { method: '${method}', headers: { 'QuotaGate-Console': '1', 'content-type': 'application/json' }, body: '{}' })
    .then((answer) => answer.status)`;

const failed = (route: Route): Promise<void> => route.fulfill({ status: 500, body: '{}' });

async function failing(t: Test, running: Console, page: Page): Promise<void> {
  for (const path of PAGES.filter((one) => !one.includes('?'))) {
    // The frame of a page needs the overview of the org, so that it fails only on the page of its name.
    const data =
      path === 'overview' ? '**/v1/orgs/acme/**' : /\/v1\/orgs\/acme(?!\/(overview|changes)).*|\/v1\/tokens/;
    // As slow as it takes to see that.
    const seen = page.getByText('Loading…').first().waitFor({ state: 'attached' });
    const answer = { now: (route: Route): Promise<void> => seen.then(() => failed(route)) };
    await page.route(data, (route) => answer.now(route));
    await page.goto(`${running.url}orgs/acme/${path}`, { waitUntil: 'commit' });
    await seen;
    const main = page.getByRole('main');
    const again = main.getByRole('button', { name: 'Try again' });
    await main
      .getByText(/The admin API failed\. Try again/)
      .first()
      .waitFor();
    answer.now = (route) => route.abort();
    await again.first().click();
    await main
      .getByText(/The admin API cannot be reached/)
      .first()
      .waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    // What is read again by itself takes its button away.
    for (let at = (await again.count()) - 1; at >= 0; at -= 1)
      await again
        .nth(at)
        .click({ timeout: 1_000 })
        .catch(() => undefined);
    await main.getByText('This could not be loaded').first().waitFor({ state: 'hidden' });
    await loaded(main);
    t.equal(await main.getByRole('heading', { level: 1 }).count(), 1, path);
  }
}

interface Conflict {
  readonly path: string;
  /** Of the field that both change. */
  readonly field: string;
  readonly mine: string;
  readonly save: string;
  /** The change of the other admin. */
  readonly theirs: readonly [method: string, path: string, body: unknown];
  /** What is there then. */
  readonly read: string;
  readonly wanted: unknown;
}

const NOTIFICATIONS = {
  thresholds: { users: [100], groups: [100], org: [100] },
  refusals: { users: true, groups: true, org: true },
  email: { enabled: true, admins: true, recipients: [] },
};

const CYCLE = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };

const CONFLICTS: readonly Conflict[] = [
  {
    path: 'users?profile=ben',
    field: 'Role',
    mine: 'analyst',
    save: 'Save',
    theirs: ['PATCH', 'users/ben', { name: 'Benjamin' }],
    read: 'users/ben',
    wanted: { role: 'analyst' },
  },
  {
    path: 'groups?rename=analysts',
    field: 'Name',
    mine: 'Mine',
    save: 'Save',
    theirs: ['PATCH', 'groups/analysts', { name: 'Theirs' }],
    read: 'groups/analysts',
    wanted: { name: 'Mine' },
  },
  {
    path: 'settings?open=org',
    field: 'Seats',
    mine: '7',
    save: 'Save',
    theirs: ['PUT', '', { name: 'Acme Maps', seats: 6, cycle: CYCLE }],
    read: '',
    wanted: { seats: 7 },
  },
  {
    path: 'settings?plan=lds',
    field: 'Allowance in a cycle',
    mine: '2000',
    save: 'Save plan',
    theirs: ['PUT', 'plans/lds', { allowance: 1_500, mode: 'hard' }],
    read: 'plans/lds',
    wanted: { allowance: 2_000 },
  },
  {
    path: 'notices?change=email',
    field: 'Further addresses',
    mine: 'mine@acme.example',
    save: 'Save',
    theirs: ['PUT', 'notifications', NOTIFICATIONS],
    read: 'notifications',
    wanted: { email: { recipients: ['mine@acme.example'] } },
  },
];

async function conflicts(t: Test, running: Console, page: Page): Promise<void> {
  const at = (path: string): string => `/orgs/acme/${path}`.replace(/\/$/, '');
  for (const { path, field, mine, save, theirs, read, wanted } of CONFLICTS) {
    const dialog = await showDialog(page, `${running.url}orgs/acme/${path}`, { path });
    await dialog.getByLabel(field).first().fill(mine);
    const [method, where, body] = theirs;
    t.equal((await running.api(method, at(where), body)).status, 200, `${path}: theirs`);
    await dialog.getByRole('button', { name: save, exact: true }).click();
    await dialog.getByText('Someone else changed this while you were editing.', { exact: false }).waitFor();
    await dialog.getByRole('button', { name: 'Save mine' }).click();
    await dialog.waitFor({ state: 'hidden' });
    t.match((await running.api('GET', at(read))).body, wanted as object, path);
  }
  await deletedMeanwhile(running, page);
}

/** An act that cannot be undone is not done to what has changed since it was shown. */
async function deletedMeanwhile(running: Console, page: Page): Promise<void> {
  const dialog = await showDialog(page, `${running.url}orgs/acme/groups?deleteGroup=eng`, { path: '' });
  await running.api('PATCH', '/orgs/acme/groups/eng', { name: 'Engineers' });
  await dialog.getByRole('button', { name: 'Delete group' }).click();
  await dialog.getByText('Someone else changed this meanwhile.', { exact: false }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
}

interface Form {
  readonly path: string;
  readonly fill: (dialog: Locator) => Promise<void>;
  readonly save: string;
  readonly read: string;
  readonly wanted: unknown;
}

const FORMS: readonly Form[] = [
  {
    path: 'users?invite=new',
    fill: async (dialog) => {
      await dialog.getByLabel('User id').fill('kim');
      await dialog.getByLabel('Name').fill('Kim');
    },
    save: 'Invite user',
    read: 'users/kim',
    wanted: { name: 'Kim' },
  },
  {
    path: 'settings?topUp=lds',
    fill: async (dialog) => {
      await dialog.getByLabel('Add', { exact: true }).fill('50');
      await dialog.getByLabel('Reason').fill('order 7');
    },
    save: 'Add 50 calls',
    read: 'plans/lds',
    wanted: { extraLeft: 50 },
  },
  {
    path: 'notices?change=when',
    fill: (dialog) =>
      dialog.getByRole('group', { name: 'A user' }).getByLabel('When this much is consumed').fill('70, 100'),
    save: 'Save',
    read: 'notifications',
    wanted: { thresholds: { users: [70, 100] } },
  },
];

async function endedSession(t: Test, running: Console, page: Page): Promise<void> {
  for (const { path, fill, save, read, wanted } of FORMS) {
    const dialog = await showDialog(page, `${running.url}orgs/acme/${path}`, { path });
    const name = await dialog.getByRole('heading').first().innerText();
    await fill(dialog);
    await page.context().clearCookies();
    const again = dialogOf(page, 'Your session has ended');
    await again.waitFor();
    await logIn(page);
    await again.waitFor({ state: 'hidden' });
    await dialogOf(page, name).getByRole('button', { name: save, exact: true }).click();
    await dialogOf(page, name).waitFor({ state: 'hidden' });
    t.match((await running.api('GET', `/orgs/acme/${read}`)).body, wanted as object, path);
  }
}

async function webhook(t: Test, running: Console, page: Page): Promise<void> {
  await showPage(page, `${running.url}orgs/acme/notices?tab=webhooks`);
  await page.getByRole('button', { name: 'Add webhook' }).first().click();
  const dialog = dialogOf(page, 'Add webhook');
  for (const url of ['ftp://hooks.example.com', 'not a URL', 'https://user:secret@hooks.example.com/']) {
    await dialog.getByLabel('URL').fill(url);
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByText(/must be a URL such as|must have no user/).waitFor();
  }
  await dialog.getByLabel('URL').fill('https://10.0.0.1/hook');
  await dialog.getByRole('button', { name: 'Add webhook' }).click();
  await dialogOf(page, 'Secret of the webhook').getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Actions for https://10.0.0.1/hook' }).click();
  await page.getByRole('menuitem', { name: 'Send test' }).click();
  await page
    .getByText(/10\.0\.0\.1 is an address that webhooks must not reach .*list it in webhooks\.allow/)
    .waitFor();
  t.equal(await rowOf(page, '10.0.0.1').count(), 1);
}
