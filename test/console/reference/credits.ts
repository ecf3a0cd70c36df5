/** The numbers Z: what the quota page of an AI coding product shows. */
import type { Page } from 'playwright-core';
import { foldJournal } from '../../../src/maintenance/fold.js';
import { ask } from '../../support/gateway.js';
import { csvOf, dialogOf, MARKUP, rowOf } from '../console.js';
import type { Reference, Shown } from './gateway.js';
import { cardOf, sumsOf } from './places.js';

type Overview = { readonly quotas: readonly { readonly extraLeft: number; readonly refillsAt: string }[] };

export const CREDITS: readonly Shown[] = [
  {
    number: 'Z1',
    page: 'Users',
    title: 'what each user has consumed, and how the pool is distributed over them',
    test: async (t, { page, show }) => {
      await show('users');
      t.match(await rowOf(page, 'Ann Smith').innerText(), /20%[\s\S]*1,000 units[\s\S]*30/);
      t.match(await rowOf(page, 'ben@acme').innerText(), /20 units[\s\S]*20/);
      await page.getByRole('button', { name: 'Distribute evenly' }).waitFor();
    },
  },
  {
    number: 'Z2',
    page: 'Overview',
    title: 'a card of the plan: total, left, percent used and refill date',
    test: async (t, { page, show, read }) => {
      await show('overview');
      const text = await cardOf(page, 'Usage').innerText();
      t.match(text, /4,950\s+units[\s\S]*of 5,000 units left[\s\S]*1% used[\s\S]*Refills\s+20 \w+ \d{4}/);
      const { quotas } = await read<Overview>('overview');
      const refill = await cardOf(page, 'Usage').locator('time').last().getAttribute('datetime');
      t.equal(refill, quotas[0]?.refillsAt);
    },
  },
  {
    number: 'Z3',
    page: 'Overview',
    title: 'the balance that is bought beyond the plan',
    test: async (t, { page, show, api }) => {
      await show('overview');
      const card = cardOf(page, 'LDS');
      t.match(await card.innerText(), /Extra balance\s+–/);
      await api('POST', '/orgs/acme/plans/lds/extra', { units: 700, reason: 'order 7' });
      await card.getByText('700 left').waitFor();
      await card.getByText('of 1,700 calls left').waitFor();
    },
  },
  {
    number: 'Z4',
    page: 'Overview',
    title: 'billing period and usage window on top',
    test: async (t, { page, show }) => {
      await show('overview');
      const head = await page.locator('.page-head').innerText();
      t.match(head, /Billing period 20 \w+( \d{4})? – 19 \w+ \d{4}/);
      t.match(head, /usage of \d+/);
    },
  },
  {
    number: 'Z5',
    page: 'Overview',
    title: 'seats used of seats',
    test: async (t, { page, show }) => {
      await show('overview');
      t.match(await page.locator('.page-head').innerText(), /3 of 5 seats used/);
    },
  },
  {
    number: 'Z6',
    page: 'Users',
    title: 'name and e-mail of each user',
    test: async (t, { page, show }) => {
      await show('users');
      t.match(await rowOf(page, 'Ann Smith').innerText(), /^Ann Smith\s+ann@acme\.example/);
    },
  },
  {
    number: 'Z7',
    page: 'Users',
    title: 'who is active, and who is not',
    test: async (t, { page, show, api }) => {
      await api('PATCH', '/orgs/acme/users/eve', { status: 'inactive' });
      await show('users?status=inactive');
      await rowOf(page, MARKUP).getByText('Inactive').waitFor();
      t.equal(await rowOf(page, 'Ann Smith').count(), 0);
      await api('PATCH', '/orgs/acme/users/eve', { status: 'active' });
      await page.getByRole('button', { name: 'Active', exact: true }).click();
      await rowOf(page, MARKUP).getByText('Active').waitFor();
    },
  },
  {
    number: 'Z8',
    page: 'Users',
    title: 'the cap in percent of the pool, edited in the table',
    test: async (t, { page, show, read }) => {
      await show('users');
      await page.getByRole('button', { name: `Set the cap of ${MARKUP}` }).click();
      await page.keyboard.type('0.4');
      await page.keyboard.press('Enter');
      await rowOf(page, MARKUP).getByText('20 units').waitFor();
      t.match(await rowOf(page, MARKUP).innerText(), /0\.4%/);
      t.match(await read('limits/usage:u:eve'), { percent: 0.4 });
    },
  },
  {
    number: 'Z9',
    page: 'Users',
    title: 'what is left of each user’s cap in this period',
    test: async (t, { page, show, read }) => {
      await show('users');
      t.match(await rowOf(page, 'Ann Smith').innerText(), /970/);
      t.match(await read('users/ann'), { quotas: { usage: { effectiveLeft: 970 } } });
    },
  },
  {
    number: 'Z10',
    page: 'Users',
    title: 'a cap of 20 % of 5,000 is 1,000, and who reaches a cap is blocked',
    test: async (t, { page, show, ask: send }) => {
      await show('users');
      t.match(await rowOf(page, 'Ann Smith').innerText(), /20%\s*1,000 units/);
      t.same(await send('eve', 'sql', 'sql', 'sql'), [200, 200, 429]);
      await rowOf(page, MARKUP).getByText('Blocked').waitFor();
    },
  },
  {
    number: 'Z11',
    page: 'Users',
    title: 'a warning when caps do not sum to 100 %',
    test: async (_t, { page, show }) => {
      await show('users');
      await page.getByText(/The caps of the active users sum to 20\.4%, not 100%/).waitFor();
    },
  },
  {
    number: 'Z12',
    page: 'Users',
    title: 'the pool distributed evenly, with what changes said before',
    test: distribute,
  },
  {
    number: 'Z13',
    page: 'Overview, Usage history',
    title: 'from the overview to consumption over time',
    test: async (t, { page, show }) => {
      await show('overview');
      await page.getByRole('main').getByRole('link', { name: 'Usage history' }).click();
      await page.getByRole('heading', { name: 'Usage history' }).waitFor();
      await page.locator('canvas').waitFor();
      t.match(await rowOf(sumsOf(page), 'sql').innerText(), /80\s+100%/);
    },
  },
  {
    number: 'Z14',
    page: 'Overview, Users',
    title: 'from the overview to the users: one invited, one removed',
    test: inviteAndRemove,
  },
  {
    number: 'Z15',
    page: 'Users, Audit',
    title: 'last active, search, a freed seat, and the audit of logins and users as CSV',
    test: async (t, at) => {
      await lastActive(t, at);
      await freedSeat(t, at);
      await audited(t, at);
    },
  },
  {
    number: 'Z16',
    page: 'Usage history',
    title: 'the figures that the API has of 7, 30 and 90 days',
    test: periods,
  },
];

interface History {
  readonly users: readonly {
    readonly user: string;
    readonly quotas: readonly { readonly units: number }[];
  }[];
}

type Test = Parameters<Shown['test']>[0];

async function periods(t: Test, { page, show, read }: Reference): Promise<void> {
  for (const [chip, period] of Object.entries({ '7 days': '7d', '30 days': '30d', '90 days': '90d' })) {
    await show('history?by=user');
    await page.getByRole('button', { name: chip }).click();
    const { users } = await read<History>(`usage/history?period=${period}&quota=usage`);
    const units = users.find(({ user }) => user === 'ann')?.quotas[0]?.units;
    t.equal(units, 30, period);
    await rowOf(sumsOf(page), 'Ann Smith').getByText(String(units), { exact: true }).first().waitFor();
  }
}

async function distribute(t: Test, { page, show, read, ask: send, api }: Reference): Promise<void> {
  await show('users');
  await page.getByRole('button', { name: 'Distribute evenly' }).click();
  const dialog = dialogOf(page, 'Distribute Usage evenly?');
  await dialog.getByText(/3 active users get/).waitFor();
  await dialog.getByRole('button', { name: 'Distribute evenly' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.match(await read('users'), { caps: { usage: { percentSum: 100 } } });
  t.same(await send('ben', 'sql'), [200], 'the new share holds for the next request');
  await api('PATCH', '/orgs/acme/limits/usage:u:ann', { percent: 20 });
  await api('PATCH', '/orgs/acme/limits/usage:u:eve', { percent: 0.4 });
  await api('PATCH', '/orgs/acme/limits/usage:u:ben', { units: 20 });
}

async function inviteAndRemove(t: Test, { page, show, read }: Reference): Promise<void> {
  await show('overview');
  await page.getByRole('main').getByRole('link', { name: 'Manage users' }).click();
  await page.getByRole('button', { name: 'Invite user' }).click();
  const invite = dialogOf(page, 'Invite user');
  await invite.getByLabel('User id').fill('kim');
  await invite.getByLabel('Name').fill('Kim');
  await invite.getByRole('button', { name: 'Invite user' }).click();
  await rowOf(page, 'Kim').getByText('Invited').waitFor();
  await actOn(page, 'Kim', 'Remove');
  await dialogOf(page, 'Remove Kim?').getByRole('button', { name: 'Remove' }).click();
  await rowOf(page, 'Kim').waitFor({ state: 'hidden' });
  t.match(await read('users/kim'), { status: 'removed' });
}

async function actOn(page: Page, name: string, act: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: act }).click();
}

async function lastActive(t: Test, { page, show, gateway }: Reference): Promise<void> {
  // The loop that folds the history does so within a minute.
  await foldJournal(gateway.app.ledger, 'acme');
  await show('users?q=ben@');
  t.match(await rowOf(page, 'ben@acme').innerText(), /last active \d+ \w+/);
  t.equal(await rowOf(page, 'Ann Smith').count(), 0, 'the search leaves others out');
}

async function freedSeat(t: Test, { page, show, ask: send }: Reference): Promise<void> {
  await show('users');
  await actOn(page, MARKUP, 'Remove');
  await dialogOf(page, `Remove ${MARKUP}?`).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('2 of 5 seats used').waitFor();
  t.same(await send('eve', 'sql'), [403]);
  await show('users?status=removed');
  await actOn(page, MARKUP, 'Return');
  await dialogOf(page, `Return ${MARKUP}?`).getByRole('button', { name: 'Return' }).click();
  await page.getByText('3 of 5 seats used').waitFor();
}

async function audited(t: Test, { page, show, gateway }: Reference): Promise<void> {
  const headers = { authorization: 'Bearer qga_wrong_token' };
  t.equal((await ask(gateway.admin, '/v1/orgs', { headers })).status, 401);
  await show('audit?log=access&action=login');
  t.match(await rowOf(page, 'Login failed').first().innerText(), /from 127\.0\.0\.1/);
  await show('audit?action=user');
  await rowOf(page, 'User changed').first().waitFor();
  const [head, ...lines] = (await csvOf(page)).trim().split('\r\n');
  t.equal(head, 'at,who,action,subject,from,to,reason');
  t.ok(
    lines.every((line) => /,user\.\w+,user:(eve|kim),/.test(line)),
    'only what is filtered',
  );
}
