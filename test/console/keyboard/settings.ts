/** Acts on notices, secrets, holds, plans and the org itself. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { charges } from '../../../src/quota/charge.js';
import { addDelivery, applyNow } from '../../admin/support.js';
import { type Console, rowOf } from '../console.js';
import { activate, choose, closed, find, open, press, type } from './keys.js';

export async function settings(t: Test, running: Console, page: Page): Promise<void> {
  await t.test('thresholds, recipients and a test message', (t) => notices(t, running, page));
  await t.test('a webhook: add, test, change, new secret, off, delete', (t) => webhooks(t, running, page));
  await t.test('send a message again', () => sendAgain(running, page));
  await t.test('create and delete an API key and an admin token', () => secrets(running, page));
  await t.test('release a hold', () => release(running, page));
  await t.test('name, seats and cycle', (t) => org(t, running, page));
  await t.test('plan and top-up', (t) => plans(t, running, page));
  await t.test('archive and restore', () => archive(running, page));
}

async function notices(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'notices');
  await activate(page, /^Edit: When notices are sent/);
  await type(page, /^When this much is consumed/, '80, 100');
  await press(page, 'Enter');
  await closed(page);
  // The next dialog begins with what is shown.
  await rowOf(page, 'A user').getByText('80%, 100%').waitFor();
  await activate(page, /^Edit: Who gets e-mail/);
  await type(page, /^Further addresses/, 'ops@acme.example');
  await activate(page, /^Save/);
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/notifications')).body, {
    thresholds: { users: [80, 100] },
    email: { recipients: ['ops@acme.example'] },
  });
}

async function webhooks(t: Test, running: Console, page: Page): Promise<void> {
  const url = 'http://127.0.0.1:9/hook';
  const menu = /^Actions for http/;
  await open(page, running, 'notices?tab=webhooks');
  await activate(page, /^Add webhook/);
  await type(page, /^URL/, 'http://127.0.0.1:9/');
  await press(page, 'Enter');
  await activate(page, /^Done/);
  await activate(page, /^Send test/);
  await activate(page, /^Send$/);
  await page
    .getByText(/Not delivered: /)
    .first()
    .waitFor();
  await press(page, 'Escape');
  await choose(page, menu, 'Change URL');
  await type(page, /^URL/, url);
  await press(page, 'Enter');
  await closed(page);
  await rowOf(page, url).waitFor();
  await choose(page, menu, 'Replace secret');
  await activate(page, /^Replace secret/);
  await activate(page, /^Done/);
  await choose(page, menu, 'Turn off');
  await rowOf(page, url).getByText('Off').waitFor();
  await choose(page, menu, 'Delete');
  await activate(page, /^Delete$/);
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/notifications')).body, { webhooks: [] });
}

async function sendAgain(running: Console, page: Page): Promise<void> {
  await addDelivery(running.gateway.app.ledger, 'acme');
  await open(page, running, 'notices?tab=failures');
  await activate(page, /^Send again/);
  await page.getByRole('heading', { name: 'All delivered' }).waitFor();
}

async function secrets(running: Console, page: Page): Promise<void> {
  await open(page, running, 'keys');
  await activate(page, /^Create key/);
  await find(page, /^User/, 'ann', /Ann Smith/);
  await type(page, /^Name/, 'nightly');
  await press(page, 'Enter');
  await activate(page, /^Done/);
  await activate(page, /^Delete: nightly/);
  await activate(page, /^Delete$/);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await open(page, running, 'tokens');
  await activate(page, /^Create token/);
  await type(page, /^Name/, 'dashboard');
  await press(page, 'Enter');
  await activate(page, /^Done/);
  await activate(page, /^Delete: dashboard/);
  await activate(page, /^Delete$/);
  await rowOf(page, 'dashboard').waitFor({ state: 'hidden' });
}

async function release(running: Console, page: Page): Promise<void> {
  const reserve = charges('sql', [{ quota: 'usage', units: 400, kind: 'held' }]);
  const hold = {
    kind: 'reserve',
    user: 'ann',
    claims: '',
    charges: reserve,
    hold: 'h1',
    ttlMs: 60_000,
  } as const;
  await applyNow(running.gateway.app.ledger, 'acme', [hold]);
  await open(page, running, 'in-flight');
  await activate(page, /^Release what ann/);
  await activate(page, /^Release$/);
  await page.getByRole('heading', { name: 'Nothing in flight' }).waitFor();
}

async function org(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'settings');
  await activate(page, /^Edit$/);
  await type(page, /^Name/, 'Acme');
  await type(page, /^Seats/, '9');
  await type(page, /^Begins on day/, '21');
  await press(page, 'Enter');
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme')).body, { name: 'Acme', seats: 9, cycle: { anchor: 21 } });
}

async function plans(t: Test, running: Console, page: Page): Promise<void> {
  await activate(page, /^Top up Usage/);
  await type(page, /^Add$/, '100');
  await type(page, /^Reason/, 'order 7');
  await press(page, 'Enter');
  await closed(page);
  await activate(page, /^Change the plan of Usage/);
  await type(page, /^Allowance/, '6000');
  await page.getByText('The pool becomes 6,100 units.', { exact: false }).waitFor();
  await press(page, 'Enter');
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/plans/usage')).body, { allowance: 6_000, pool: 6_100 });
}

async function archive(running: Console, page: Page): Promise<void> {
  const banner = page.getByText('This organization is archived', { exact: false });
  await open(page, running, 'settings');
  await activate(page, /^Archive$/);
  await page.getByRole('dialog').waitFor();
  await activate(page, /^Archive$/);
  await closed(page);
  await banner.waitFor();
  await activate(page, /^Restore$/);
  await page.getByRole('dialog').waitFor();
  await activate(page, /^Restore$/);
  await closed(page);
  await banner.waitFor({ state: 'hidden' });
}
