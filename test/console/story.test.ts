/**
 * One story with real parts: an admin sets a limit below what is consumed, the caller is refused, the admin learns of it on the page and
 * by e-mail, raises the limit for a time, and the raise ends by itself.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { freePort } from '../support/redis-node.js';
import { LOGIN, startSmtp, type TestSmtp } from '../support/smtp.js';
import { type Console, logIn, MARKUP, startConsole } from './console.js';

const ZONE = 'Europe/Madrid';
/** Long enough to save the raise and send a request. */
const RAISE_MS = 4_000;
/** Notices of three seconds are told together. */
const MAIL_MS = 10_000;

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const goTo = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();

test('the story of a limit', { skip: skipWithoutBrowser || skipWithoutRedis }, async (t) => {
  const { running, smtp } = await startAll(t);
  const page = await running.open('');
  const events = await page.context().newPage();

  await t.test('a limit below what is consumed: the admin is warned, and saves', () => setLimit(page));

  await t.test('the next request is refused, and the event appears without a reload', async (t) => {
    await events.goto(`${running.url}orgs/acme/events`);
    await rowOf(events, 'Ben').first().waitFor();
    t.equal(await rowOf(events, MARKUP).count(), 0);
    await events.evaluate('window.isSamePage = true');
    t.same(await running.call('eve'), [429]);
    await rowOf(events, MARKUP).getByText('Limit on Usage reached').waitFor();
    t.equal(await events.evaluate('window.isSamePage'), true);
  });

  await t.test('the e-mail arrives, and its link opens the limit after a login', async (t) => {
    const link = await linkIn(smtp);
    t.ok(link.startsWith(running.url), link);
    const other = await (await running.browser.newContext({ locale: 'en-GB' })).newPage();
    await other.goto(link);
    await logIn(other);
    await dialogOf(other).waitFor();
    t.equal(other.url(), link, 'the login comes back to it');
    await other.context().close();
    await page.goto(link);
    await dialogOf(page).waitFor();
  });

  await t.test('a temporary raise: the next request passes until it ends, by the clock of the store', (t) =>
    raise(t, running, page),
  );

  await t.test('the audit log has all of it', async (t) => {
    await goTo(page, 'Audit');
    await rowOf(page, 'Limit set').filter({ hasText: 'eve on Usage' }).waitFor();
    t.match(
      await rowOf(page, 'Limit set').first().innerText(),
      /eve on Usage[\s\S]*15[\s\S]*too many[\s\S]*bootstrap/,
    );
    t.match(
      await rowOf(page, 'Limit raised').innerText(),
      /eve on Usage[\s\S]*100[\s\S]*release week[\s\S]*bootstrap/,
    );
  });
});

async function startAll(t: Test): Promise<{ running: Console; smtp: TestSmtp }> {
  const redis = await startRedis();
  const smtp = await startSmtp(t);
  const caFile = join(t.testdir(), 'ca.pem');
  writeFileSync(caFile, smtp.ca);
  const server = { host: 'localhost', port: smtp.port, from: 'quota@acme.example', caFile, ...LOGIN };
  const adminAddress = `127.0.0.1:${await freePort()}`;
  const running = await startConsole({
    redis: redis.url,
    adminAddress,
    sections: `smtp: ${JSON.stringify(server)}\nadmin: { publicUrl: 'http://${adminAddress}' }`,
  });
  t.teardown(async () => {
    await running.close();
    await redis.stop();
  });
  await running.call('eve', 2);
  return { running, smtp };
}

async function setLimit(page: Page): Promise<void> {
  await goTo(page, 'Limits');
  await page.getByRole('button', { name: 'Set limit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set limit on Usage' });
  await dialog.getByRole('combobox', { name: 'User or group' }).fill('eve');
  // At once: the first match is taken when it is there.
  await page.keyboard.press('Enter');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('15');
  await dialog.getByLabel('Reason').fill('too many queries');
  await dialog.getByText(`${MARKUP} will be blocked at once`).waitFor();
  await dialog.getByRole('button', { name: 'Save and block 1 user' }).click();
  await rowOf(page, MARKUP).getByText('Blocked').waitFor();
}

const dialogOf = (page: Page) => page.getByRole('dialog', { name: `Raise the limit of ${MARKUP} on Usage` });

/** Of the notice about Eve, which may be one of several in a message. */
async function linkIn(smtp: TestSmtp): Promise<string> {
  const until = Date.now() + MAIL_MS;
  for (;;) {
    for (const { to, text } of smtp.mails) {
      const [link] = /http\S+raise=usage%3Au%3Aeve/.exec(text) ?? [];
      if (link !== undefined && to === 'ann@acme.example') return link;
    }
    if (Date.now() > until)
      throw new Error(`no e-mail about Eve: ${smtp.mails.map(({ text }) => text).join()}`);
    await delay(50);
  }
}

async function raise(t: Test, running: Console, page: Page): Promise<void> {
  const dialog = dialogOf(page);
  await dialog.getByLabel('Raise by').fill('100');
  await dialog.getByLabel('Reason').fill('release week');
  const ends = Date.now() + RAISE_MS;
  await dialog.getByLabel('Until').fill(wallTime(ends));
  await dialog.getByRole('button', { name: 'Raise limit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await rowOf(page, MARKUP).getByText('raised by 100 until').waitFor();
  t.same(await running.call('eve'), [200]);
  await delay(ends - Date.now());
  t.same(await running.call('eve'), [429]);
  await rowOf(page, MARKUP).getByText('Blocked').waitFor();
}

/** As the input has it. Not at a whole minute, where it leaves the seconds out. */
function wallTime(ms: number): string {
  const at = Math.floor(ms / 1_000) % 60 === 0 ? ms - 1_000 : ms;
  return new Date(at).toLocaleString('sv-SE', { timeZone: ZONE }).replace(' ', 'T');
}
