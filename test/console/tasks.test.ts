/**
 * What a new admin does in the demo without reading anything: each task begins at the overview and takes at most four clicks. Typing and
 * the keys of a search are no clicks; a choice in a list that opens is two.
 */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { ask } from '../support/gateway.js';
import { startSmtp } from '../support/smtp.js';
import { type RunningDemo, startDemo } from './demo.js';

const CLICKS_MAX = 4;
const ORG = '/orgs/acme';

/** Counts the clicks of a task. */
class Admin {
  clicks = 0;

  constructor(readonly page: Page) {}

  async click(target: Locator): Promise<void> {
    this.clicks += 1;
    await target.click();
  }

  button(name: string | RegExp, within: Page | Locator = this.page): Promise<void> {
    return this.click(within.getByRole('button', { name, exact: typeof name === 'string' }).first());
  }

  link(name: string): Promise<void> {
    return this.click(this.page.getByRole('link', { name, exact: true }).first());
  }

  dialog(name: string | RegExp): Locator {
    return this.page.getByRole('dialog', { name });
  }

  /** Finds someone by name, and takes the first match. */
  async find(search: Locator, name: string): Promise<void> {
    await search.fill(name);
    await this.page.keyboard.press('Enter');
  }

  /** The search over pages, users and groups. */
  async goTo(name: string): Promise<void> {
    await this.button(/^Search/);
    await this.find(this.page.getByRole('combobox'), name);
  }

  async save(dialog: Locator, name: string | RegExp): Promise<void> {
    await this.button(name, dialog);
    await dialog.waitFor({ state: 'hidden' });
  }

  row(name: string): Locator {
    return this.page.getByRole('row').filter({ hasText: name });
  }
}

type Task = (who: Admin, t: Test, demo: RunningDemo) => Promise<void>;

const TASKS: Readonly<Record<string, Task>> = {
  'who is blocked, and why': async (who) => {
    await who.link('Mona Haddad is blocked on Usage');
    const row = who.row('Mona Haddad').first();
    await row.getByText('Limit on Usage reached').waitFor();
    await row.getByRole('button', { name: 'sql' }).waitFor();
  },

  'give Finn 500 more until Friday': async (who) => {
    await who.goTo('Finn');
    await who.button('Raise for a time');
    const dialog = who.dialog('Raise the limit of Finn Keller on Usage');
    await dialog.getByLabel('Raise by').fill('500');
    await who.button('Friday evening', dialog);
    await dialog.getByLabel('Reason').fill('atlas project');
    await who.save(dialog, 'Raise limit');
    await who.page.getByText('The limit of Finn Keller is raised.').waitFor();
  },

  'answer a request for a raise': async (who, t, { gateway }) => {
    const body = JSON.stringify({ quota: 'usage', units: 50, reason: 'one more map' });
    const headers = { 'x-quota-org': 'acme', 'x-quota-user': 'mona', 'content-type': 'application/json' };
    t.equal((await ask(gateway, '/quota/me/requests', { method: 'POST', headers, body })).status, 201);
    await who.link('Answer');
    const dialog = who.dialog('Raise the limit of Mona Haddad on Usage');
    await dialog.getByText('mona asks for 50 units more.').waitFor();
    await dialog.getByText(/are consumed: it stays reached/).waitFor();
    await dialog.getByLabel('Raise by').fill('200');
    await dialog.getByText(/^The limit becomes 201 units: /).waitFor();
    await dialog.getByLabel('Reason').fill('approved');
    await who.save(dialog, 'Raise limit');
  },

  'export last month by group': async (who, t) => {
    await who.link('Usage history');
    await who.button('Last month');
    await who.button('Group');
    await who.row('GIS').first().waitFor();
    const download = who.page.waitForEvent('download');
    await who.button('Download CSV');
    const text = await readFile(await (await download).path(), 'utf8');
    t.match(text, /^.*group.*units[\s\S]*gis/);
  },

  'set a limit for a group': async (who, t, demo) => {
    await who.link('Limits');
    await who.click(who.page.getByRole('tab', { name: 'AI' }));
    await who.button('Set limit');
    const dialog = who.dialog('Set limit on AI');
    await who.find(dialog.getByRole('combobox', { name: 'User or group' }), 'GIS');
    await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('900000');
    await dialog.getByText(/^Nobody is blocked/).waitFor();
    await who.save(dialog, 'Set limit');
    t.match(await read(demo, '/limits/ai:g:gis'), { units: 900_000 });
  },

  'invite a user': async (who, t, demo) => {
    await who.link('Manage users');
    await who.button('Invite user');
    const dialog = who.dialog('Invite user');
    await dialog.getByLabel('User id').fill('nora');
    await dialog.getByLabel('Name', { exact: true }).fill('Nora Weiss');
    await who.save(dialog, 'Invite user');
    t.match(await read(demo, '/users/nora'), { name: 'Nora Weiss', status: 'invited' });
  },

  'what a user spent, by action': async (who) => {
    await who.goTo('Dana');
    await who.click(who.page.getByRole('tab', { name: 'Consumption' }));
    await who.click(who.page.getByText('As a table'));
    for (const action of ['maps', 'sql'])
      await who.page.getByRole('columnheader', { name: action }).waitFor();
  },

  'create an API key': async (who, t) => {
    await who.link('API keys');
    await who.button('Create key');
    const dialog = who.dialog('Create API key');
    await who.find(dialog.getByRole('combobox', { name: 'User' }), 'Dana');
    await dialog.getByLabel(/^Name/).fill('atlas export');
    await who.button('Create key', dialog);
    const made = who.dialog('API key created');
    t.match(await made.getByLabel('API key', { exact: true }).inputValue(), /^qg_acme_/);
    await who.save(made, 'Done');
  },

  'send a test notice': async (who, t, demo) => {
    const { thresholds, refusals } = (await read(demo, '/notifications')) as Record<string, unknown>;
    const email = { enabled: true, admins: false, recipients: ['ops@acme.example'] };
    await send(demo, 'PUT', '/notifications', { thresholds, refusals, email });
    await who.link('Notices');
    await who.button('Send test');
    const dialog = who.dialog('Send a test message');
    await who.button('Send', dialog);
    await dialog.getByText('Delivered', { exact: true }).waitFor();
    t.match(await dialog.innerText(), /ops@acme\.example/);
    await who.save(dialog, 'Close');
  },

  'top up a quota': async (who, t, demo) => {
    await who.link('Top up LDS');
    const dialog = who.dialog('Top up LDS');
    await dialog.getByLabel('Add', { exact: true }).fill('250');
    await dialog.getByLabel('Reason').fill('order 2391');
    await who.save(dialog, /^Add 250/);
    t.match(await read(demo, '/plans/lds'), { extra: 250 });
  },

  'release what a stuck request holds': async (who, _t, { gateway }) => {
    const headers = { 'x-quota-org': 'acme', 'x-quota-user': 'gita', 'content-type': 'application/json' };
    const messages = [{ role: 'user', content: '[[tokens=300 delay=200]]' }];
    const body = JSON.stringify({ model: 'sample', stream: true, max_tokens: 300, messages });
    // It ends with the demo.
    ask(gateway, '/v1/chat/completions', { method: 'POST', headers, body }).catch(() => undefined);
    await who.link('In flight');
    await who.button('Release what gita has reserved for chat');
    await who.save(who.dialog('Release what gita has reserved for chat?'), 'Release');
    await who.row('gita').waitFor({ state: 'hidden' });
  },

  'split the plan evenly': async (who, t, demo) => {
    await who.link('Limits');
    await who.button('Distribute evenly');
    const dialog = who.dialog('Distribute Usage evenly?');
    await who.save(dialog, 'Distribute evenly');
    t.match(await read(demo, '/limits/usage:u:mona'), { percent: Number });
  },
};

function read(demo: RunningDemo, path: string): Promise<unknown> {
  return send(demo, 'GET', path);
}

async function send({ admin, token }: RunningDemo, method: string, path: string, given?: object) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = given === undefined ? {} : { body: JSON.stringify(given) };
  const answer = await ask(admin, `/v1${ORG}${path}`, { method, headers, ...body });
  return JSON.parse(answer.body) as unknown;
}

test('the day of a new admin', { skip: skipWithoutBrowser }, async (t) => {
  const smtp = await startSmtp(t, { starttls: false });
  const demo = await startDemo({
    QUOTAGATE_SMTP_HOST: '127.0.0.1',
    QUOTAGATE_SMTP_PORT: String(smtp.port),
    QUOTAGATE_SMTP_SECURITY: 'none',
    QUOTAGATE_SMTP_FROM: 'quota@acme.example',
  });
  t.teardown(() => demo.close());
  const context = await demo.browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(demo.link);
  for (const [name, task] of Object.entries(TASKS))
    await t.test(name, async (t) => {
      await page.getByRole('link', { name: 'quotagate' }).first().click();
      await page.getByRole('heading', { name: 'Acme Cartography' }).waitFor();
      const who = new Admin(page);
      await task(who, t, demo);
      t.ok(who.clicks <= CLICKS_MAX, `${who.clicks} clicks`);
    });
});
