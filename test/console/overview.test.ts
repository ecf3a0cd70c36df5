/** The overview of the console shows what the API has, live, in the words of the two products (`docs/rules.md` has the rules behind). */
import { type Test, test } from 'tap';
import { skipWithoutBrowser } from '../support/browser.js';
import { EventReceiver } from '../support/event-receiver.js';
import { type Console, MARKUP, startConsole } from './console.js';

test('the overview', { skip: skipWithoutBrowser }, async (t) => {
  const receiver = await new EventReceiver().start();
  t.teardown(() => receiver.stop());
  receiver.status = 503;
  const sections = `journal: { exports: { billing: { url: "${receiver.url}" } } }`;
  const running = await startConsole({ sections });
  t.teardown(() => running.close());
  const page = await running.open('orgs/acme/overview');
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  const card = page.getByRole('region', { name: 'Usage', exact: true });
  const attention = page.getByRole('region', { name: 'Needs attention' });

  await t.test('Z2: a card of the plan: total, left, percent used, refill date', async (t) => {
    const text = await card.innerText();
    t.match(text, /4,950/, 'left');
    t.match(text, /of 5,000 units left/, 'total');
    t.match(text, /1% used/, 'used');
    t.match(text, /Refills\s+\d{1,2} \w{3,4} \d{4}/, 'refill date');
    t.equal(
      await card.getByRole('img', { name: /^50 units consumed and 0 units held of 5,000 units/ }).count(),
      1,
    );
  });

  await t.test('Z4, Z5: the billing period, the usage window, and the seats are on top', async (t) => {
    const line = await page.locator('.page-head').innerText();
    t.match(line, /Billing period \d+ \w+ – \d+ \w+ \d{4}/);
    t.match(line, /usage of \d+/);
    t.match(line, /3 of 5 seats used/);
    t.match(line, /times in Europe\/Madrid/, 'the zone is said');
  });

  await t.test('C7: who is blocked needs attention, with the act that helps', async (t) => {
    t.match(await attention.innerText(), /Ben is blocked on Usage\s+20 of 20 units consumed/);
    await attention.getByRole('link', { name: 'Raise' }).first().click();
    await page.getByRole('dialog', { name: 'Raise the limit of Ben on Usage' }).waitFor();
    await page.goto(`${running.url}orgs/acme/overview`);
  });

  await t.test('Z3: the extra balance, without a reload', (t) => topUp(t, running, page));

  await t.test('C1: the consumption of the period is a chart with a table', async (t) => {
    const chart = page.getByRole('region', { name: 'Consumption of this period' });
    await chart.locator('canvas').waitFor();
    await chart.getByText('As a table').click();
    t.equal(await chart.getByRole('columnheader', { name: 'sql' }).count(), 1, 'a column per action');
    await chart.getByRole('button', { name: 'Cumulative' }).click();
    t.match(page.url(), /figures=cumulative/, 'the address can be shared');
  });

  await t.test('a name with markup is shown as text, without a reload', async (t) => {
    await running.call('eve');
    await running.api('POST', '/orgs/acme/limits', { user: 'eve', quota: 'usage', units: 5 });
    await attention.getByText(`${MARKUP} is blocked on Usage`).waitFor();
    t.equal(await page.evaluate('window.hacked'), undefined);
  });

  await t.test('an export of charges that fails needs attention', async (t) => {
    await attention.getByText(/^The export of charges to billing fails$/).waitFor();
    t.match(await attention.innerText(), /answered 503 · the oldest charge that is missing there:/);
  });

  await t.test('two languages: the page is in Spanish for a browser in Spanish', async (t) => {
    const spanish = await running.browser.newContext({ locale: 'es-ES' });
    const other = await spanish.newPage();
    await other.goto(running.url);
    await other.getByRole('heading', { name: 'Iniciar sesión' }).waitFor();
    t.equal(await other.locator('html').getAttribute('lang'), 'es');
    await spanish.close();
  });
});

async function topUp(t: Test, running: Console, page: Awaited<ReturnType<Console['open']>>): Promise<void> {
  await page.getByRole('region', { name: 'Usage', exact: true }).waitFor();
  await running.api('POST', '/orgs/acme/plans/usage/extra', { units: 700, reason: 'order 7' });
  const card = page.getByRole('region', { name: 'Usage', exact: true });
  await card.getByText('700 left').waitFor();
  t.match(await card.innerText(), /of 5,700 units left/);
}
