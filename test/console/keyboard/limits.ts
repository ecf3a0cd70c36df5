/** Acts on limits, and on the events that lead to them. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { as, ask } from '../../support/gateway.js';
import { type Console, rowOf } from '../console.js';
import { activate, choose, closed, find, focused, open, press, type } from './keys.js';

export async function limits(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'limits?quota=usage');
  await t.test('set a limit', (t) => setLimit(t, running, page));
  await t.test('edit a limit', (t) => editLimit(t, running, page));
  await t.test('raise a limit, and end the raise', (t) => raiseLimit(t, running, page));
  await t.test('delete a limit', (t) => deleteLimit(t, running, page));
  await t.test('filter, sort and page through', (t) => filter(t, running, page));
  await t.test('raise from an event', (t) => raiseFromEvent(t, running, page));
  await t.test('answer a request for a raise, and decline one', (t) => answer(t, running, page));
  await t.test('distribute evenly', async () => {
    await open(page, running, 'limits?quota=usage');
    await activate(page, /^Distribute evenly/);
    await page.getByText('active users get', { exact: false }).waitFor();
    await activate(page, /^Distribute evenly/);
    await page.getByText('Usage is distributed evenly.').waitFor();
  });
}

const limitOfEng = (running: Console) => running.api('GET', '/orgs/acme/limits/usage:g:eng');

async function setLimit(t: Test, running: Console, page: Page): Promise<void> {
  await activate(page, /^Set limit/);
  await find(page, /^User or group/, 'eng', /Engineering/);
  await type(page, /^Limit/, '800');
  await page.getByText(/Nobody is blocked by this limit/).waitFor();
  await press(page, 'Enter');
  await closed(page);
  t.match(await focused(page), /Set limit/, 'the focus is back at the button');
  t.match((await limitOfEng(running)).body, { units: 800 });
}

async function editLimit(t: Test, running: Console, page: Page): Promise<void> {
  await activate(page, /^Edit: Engineering/);
  await type(page, /^Limit/, '900');
  await page.getByText(/Nobody is blocked by this limit/).waitFor();
  await press(page, 'Enter');
  await closed(page);
  t.match((await limitOfEng(running)).body, { units: 900 });
}

async function raiseLimit(t: Test, running: Console, page: Page): Promise<void> {
  await choose(page, /^Actions for Engineering/, 'Raise for a time');
  await type(page, /^Raise by/, '50');
  await activate(page, /^End of period/);
  await type(page, /^Reason/, 'release');
  await press(page, 'Enter');
  await closed(page);
  t.match((await limitOfEng(running)).body, { raise: { units: 50 } });
  await rowOf(page, 'Engineering')
    .getByText(/raised by 50/)
    .waitFor();
  await choose(page, /^Actions for Engineering/, 'End raise');
  await activate(page, /^End raise$/);
  await closed(page);
  t.notMatch((await limitOfEng(running)).body, { raise: { units: 50 } });
}

async function deleteLimit(t: Test, running: Console, page: Page): Promise<void> {
  await choose(page, /^Actions for Engineering/, 'Delete');
  await activate(page, /^Delete$/);
  await closed(page);
  t.equal((await limitOfEng(running)).status, 404);
}

async function filter(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'limits?quota=usage');
  await activate(page, /^Blocked$/);
  await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
  await activate(page, /^All$/);
  await rowOf(page, 'Ann Smith').waitFor();
  await activate(page, /^Limit$/);
  await page
    .getByRole('columnheader', { name: 'Limit', exact: true })
    .and(page.locator('[aria-sort=descending]'))
    .waitFor();
  t.match(page.url(), /sort=-cap/);
}

async function raiseFromEvent(t: Test, running: Console, page: Page): Promise<void> {
  await open(page, running, 'events?kind=blocked');
  await activate(page, /^Raise: Ben, Usage/);
  await type(page, /^Raise by/, '5');
  await activate(page, /^End of period/);
  await type(page, /^Reason/, 'release');
  await press(page, 'Enter');
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/limits/usage:u:ben')).body, { raise: { units: 5 } });
}

async function answer(t: Test, running: Console, page: Page): Promise<void> {
  const request = async (user: string): Promise<number> => {
    const headers = { ...as(user), 'content-type': 'application/json' };
    const body = JSON.stringify({ quota: 'usage', units: 100, reason: 'release' });
    return (await ask(running.gateway.gateway, '/quota/me/requests', { method: 'POST', headers, body }))
      .status;
  };
  t.same([await request('ann'), await request('ben')], [201, 201]);
  await open(page, running, 'events?kind=raise-request');
  await activate(page, /^Answer: Ann Smith/);
  await activate(page, /^Decline/);
  await closed(page);
  await activate(page, /^Answer: Ben/);
  await activate(page, /^End of period/);
  await type(page, /^Reason/, 'release');
  await press(page, 'Enter');
  await closed(page);
  t.match((await running.api('GET', '/orgs/acme/raise-requests?state=open')).body, { items: [] });
  t.match((await running.api('GET', '/orgs/acme/limits/usage:u:ben')).body, { raise: { units: 100 } });
}
