/** The numbers C: what the quota pages of a location platform show. */
import { comesTo } from '../../e2e/load.js';
import type { ReceivedMail } from '../../support/smtp.js';
import { csvOf, dialogOf, MARKUP, rowOf } from '../console.js';
import { DIALOGS } from './dialogs.js';
import type { Reference, Shown } from './gateway.js';
import { cardOf, sumsOf } from './places.js';

export const LIMITS: readonly Shown[] = [
  {
    number: 'C1',
    page: 'Limits, Overview',
    title: 'the limits of all quotas in one section, and consumption of the org over time',
    test: async (t, { page, show }) => {
      await show('limits');
      await page.getByText(/Pool of 5,000 units, 80 consumed; hard/).waitFor();
      await rowOf(page, 'Ann Smith').waitFor();
      await show('overview');
      const chart = page.getByRole('region', { name: 'Consumption of this period' });
      await chart.locator('canvas').waitFor();
      await chart.getByText('As a table').click();
      t.equal(await chart.getByRole('columnheader', { name: 'sql' }).count(), 1);
    },
  },
  {
    number: 'C2',
    page: 'Limits',
    title: 'limits of usage, LDS and AI, for users and groups',
    test: async (_t, { page, show, api }) => {
      await api('POST', '/orgs/acme/limits', { group: 'eng', quota: 'lds', units: 500 });
      await api('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 20_000 });
      for (const [tab, limit] of [
        ['Usage', /Ann Smith.*1,000 units/s],
        ['LDS', /Engineering.*500 calls/s],
        ['AI', /Ann Smith.*20,000 tokens/s],
      ] as const) {
        await show('limits');
        await page.getByRole('tab', { name: tab }).click();
        await page.getByRole('row').filter({ hasText: limit }).waitFor();
      }
    },
  },
  {
    number: 'C3',
    page: 'Overview',
    title: 'usage used up: everything is closed',
    test: async (t, { page, show, api, ask }) => {
      await api('PUT', '/orgs/acme/plans/usage', { allowance: 80, mode: 'hard' });
      await show('overview');
      await page.getByText('The Usage pool is used up').waitFor();
      t.match(await cardOf(page, 'Usage').innerText(), /\b0\s+units[\s\S]*100% used/);
      t.same(await ask('ann', 'map', 'sql'), [429, 429]);
      await api('PUT', '/orgs/acme/plans/usage', { allowance: 5_000, mode: 'hard' });
      t.same(await ask('ann', 'map'), [200]);
    },
  },
  {
    number: 'C4',
    page: 'Events',
    title: 'LDS used up: geocoding, routing and isolines are refused',
    test: async (t, { page, show, api, ask }) => {
      await api('POST', '/orgs/acme/limits', { user: 'eve', quota: 'lds', units: 1 });
      t.same(await ask('eve', 'geocoding', 'geocoding', 'routing', 'isolines'), [200, 429, 429, 429]);
      await show('events?quota=lds&kind=blocked');
      await rowOf(page, MARKUP)
        .filter({ hasText: /geocoding[\s\S]*isolines|isolines[\s\S]*geocoding/ })
        .filter({ hasText: 'routing' })
        .waitFor();
    },
  },
  {
    number: 'C5',
    page: 'User',
    title: 'AI used up: no AI request of the user passes',
    test: async (t, { page, show, api, ask }) => {
      await api('POST', '/orgs/acme/limits', { user: 'eve', quota: 'ai', units: 1 });
      t.same(await ask('eve', 'managed', 'own'), [429, 429]);
      await show('users/eve?tab=refusals');
      await page
        .getByRole('row')
        .filter({ hasText: /AI\s*chat/ })
        .first()
        .waitFor();
    },
  },
  {
    number: 'C6',
    page: 'Usage history',
    title: 'models of a provider and own models consume one quota',
    test: async (t, { page, show, ask, read }) => {
      t.same(await ask('ann', 'managed', 'own'), [200, 200]);
      await show('history?quota=ai&by=model');
      for (const model of ['managed-1', 'own-1']) await rowOf(sumsOf(page), model).waitFor();
      const { rows } = await read<History>('usage/history?period=7d&by=total&groupBy=model&quota=ai');
      const sum = rows.reduce((units, row) => units + row.units, 0);
      t.match(await read('plans/ai'), { consumed: sum }, 'together they are what is consumed of the quota');
    },
  },
  {
    number: 'C7',
    page: 'Limits',
    title: 'blocked at the limit, until it is raised or removed',
    test: unblock,
  },
  {
    number: 'C8',
    page: 'User',
    title: 'own limit and group limit side by side, and which is hit first',
    test: async (t, { page, show, api, ask }) => {
      await show('users/ben');
      const limits = page.getByRole('table', { name: 'Limits that apply on Usage' });
      await rowOf(limits, 'This user').getByText('Binds first').waitFor();
      t.match(await rowOf(limits, 'Group Analysts').innerText(), /3,000 units/);
      await api('PATCH', '/orgs/acme/limits/usage:u:ben', { units: 1_000 });
      await api('PATCH', '/orgs/acme/limits/usage:g:analysts', { units: 50 });
      await rowOf(limits, 'Group Analysts').getByText('Binds first').waitFor();
      t.same(await ask('ben', 'sql'), [429]);
      await api('PATCH', '/orgs/acme/limits/usage:g:analysts', { units: 3_000 });
      t.same(await ask('ben', 'sql'), [200]);
    },
  },
  {
    number: 'C9',
    page: 'User',
    title: 'all groups of a user count: one that is used up blocks its members',
    test: async (t, { page, show, api, ask }) => {
      await api('POST', '/orgs/acme/limits', { group: 'eng', quota: 'usage', units: 10 });
      await show('users/ben');
      const limits = page.getByRole('table', { name: 'Limits that apply on Usage' });
      await rowOf(limits, 'Group Engineering').getByText('Binds first').waitFor();
      t.equal(await rowOf(limits, 'Group Analysts').count(), 1);
      t.same(await ask('ben', 'sql'), [429], 'a member');
      t.same(await ask('ann', 'sql'), [200], 'no member');
      await api('DELETE', '/orgs/acme/limits/usage:g:eng');
    },
  },
  {
    number: 'C10',
    page: 'Group',
    title: 'a group limit caps the combined consumption, whatever members have left',
    test: async (t, { page, show, api, ask, read }) => {
      const { quotas } = await read<Figures>('groups/analysts');
      const consumed = quotas.usage.consumed;
      await show('groups/analysts');
      await rowOf(page, 'Ann Smith').waitFor();
      await rowOf(page, 'ben@acme').waitFor();
      const card = cardOf(page, 'Usage');
      await card.getByText(String(consumed), { exact: true }).first().waitFor();
      await api('PATCH', '/orgs/acme/limits/usage:g:analysts', { units: consumed });
      await card.getByText('Blocked').waitFor();
      t.same(await ask('ann', 'sql'), [429]);
      await api('PATCH', '/orgs/acme/limits/usage:g:analysts', { units: 3_000 });
    },
  },
  {
    number: 'C11',
    page: 'Limits',
    title: 'when the counters begin anew, while the limits stay',
    test: async (t, { page, show, read }) => {
      await show('limits');
      const { resetsAt } = await read<{ resetsAt: string }>('limits/usage:u:ann');
      const day = new Date(resetsAt).toLocaleDateString('en-GB', {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        timeZone: 'Europe/Madrid',
      });
      t.match(await page.locator('.page-head').innerText(), `the period ends on ${day}`);
    },
  },
  {
    number: 'C12',
    page: 'Limits',
    title: 'a tab per quota',
    test: async (t, { page, show }) => {
      await show('limits');
      t.same(await page.getByRole('tab').allInnerTexts(), ['Usage', 'LDS', 'AI']);
      await page.getByRole('tab', { name: 'LDS' }).click();
      await page.getByText(/Pool of 1,700 calls/).waitFor();
      t.match(page.url(), /quota=lds/);
    },
  },
  {
    number: 'C13',
    page: 'Limits',
    title: 'an org without limits: Set limit',
    test: async (t, { page, show }) => {
      await show('limits', 'globex');
      await page.getByRole('heading', { name: 'No limits on Usage' }).waitFor();
      t.equal(await page.getByRole('tabpanel').getByRole('button', { name: 'Set limit' }).count(), 1);
    },
  },
  {
    number: 'C14',
    page: 'Limits',
    title: 'user or group, role, limit, and what is consumed in the cycle',
    test: async (t, { page, show }) => {
      await show('limits');
      const heads = await page.getByRole('columnheader').allInnerTexts();
      t.same(heads.slice(0, 4), ['User or group', 'Role', 'Limit', 'Consumed in this period']);
      await rowOf(page, 'Ann Smith')
        .filter({ hasText: /admin.*1,000 units.*20% of the pool.*40/ })
        .waitFor();
      t.match(await rowOf(page, 'Analysts').innerText(), /Group[\s\S]*3,000 units/);
    },
  },
  ...DIALOGS,
  {
    number: 'C21',
    page: 'Limits',
    title: 'limits of groups and of users in one table',
    test: async (t, { page, show }) => {
      await show('limits');
      await rowOf(page, 'Ann Smith').waitFor();
      await rowOf(page, 'Analysts').waitFor();
      await page.getByRole('button', { name: 'Groups', exact: true }).click();
      await rowOf(page, 'Ann Smith').waitFor({ state: 'hidden' });
      t.equal(await rowOf(page, 'Analysts').count(), 1);
    },
  },
  {
    number: 'C22',
    page: 'Notices',
    title: 'e-mail to the admins when a user is blocked: who, which quota, from which action',
    test: async (t, { page, show, smtp }) => {
      await show('notices');
      t.match(await rowOf(page, 'A user').innerText(), /A user\s+100%\s+On/);
      await page.getByText('ann@acme.example').waitFor();
      const isAboutBen = ({ to, text }: ReceivedMail): boolean =>
        to === 'ann@acme.example' && /Ben/.test(text) && /usage/i.test(text) && /sql/.test(text);
      await comesTo(t, async () => smtp.mails.some(isAboutBen), true, 'Ben was blocked when the test began');
    },
  },
  {
    number: 'C23',
    page: 'Usage history',
    title: 'stacked by action, user and API key; this cycle to a year; cumulative',
    test: history,
  },
  {
    number: 'C24',
    page: 'Events, Usage history',
    title: 'the activity and the refusals as CSV',
    test: async (t, { page, show }) => {
      await show('events?kind=blocked');
      t.match(await csvOf(page), /blocked,user,ben,Ben,usage,units,sql,ben,/);
      await show('history?by=user');
      t.match(await csvOf(page), /^bucket,user,quota,units,[\s\S]*,ann,usage,\d/);
    },
  },
];

type Test = Parameters<Shown['test']>[0];

interface History {
  readonly rows: readonly { readonly model: string; readonly units: number }[];
}

interface Figures {
  readonly quotas: { readonly usage: { readonly consumed: number } };
}

async function unblock(t: Test, { page, show, api, ask }: Reference): Promise<void> {
  await show('limits');
  await rowOf(page, 'ben').getByText('Blocked').waitFor();
  t.same(await ask('ben', 'sql'), [429]);
  await page.getByRole('button', { name: 'Edit: Ben' }).click();
  const dialog = dialogOf(page, 'Limit of Ben on Usage');
  await dialog.getByRole('textbox', { name: 'Limit', exact: true }).fill('40');
  await dialog.getByText(/Nobody is blocked/).waitFor();
  await dialog.getByRole('button', { name: 'Save limit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  t.same(await ask('ben', 'sql', 'sql'), [200, 429]);
  await show('limits?delete=usage:u:ben');
  const remove = dialogOf(page, 'Delete the limit of Ben on Usage?');
  await remove.getByRole('button', { name: 'Delete' }).click();
  await remove.waitFor({ state: 'hidden' });
  t.same(await ask('ben', 'sql'), [200]);
  await api('POST', '/orgs/acme/limits', { user: 'ben', quota: 'usage', units: 20 });
}

async function history(t: Test, { page, show }: Reference): Promise<void> {
  await show('history');
  await rowOf(sumsOf(page), 'sql').waitFor();
  const by = page.getByRole('group', { name: 'By', exact: true });
  await by.getByRole('button', { name: 'API key' }).click();
  await rowOf(sumsOf(page), 'No API key').waitFor();
  await by.getByRole('button', { name: 'User' }).click();
  for (const range of ['30 days', '90 days', 'Year', 'This period']) {
    await page.getByRole('button', { name: range }).click();
    await rowOf(sumsOf(page), 'Ann Smith').waitFor();
  }
  await page.getByRole('button', { name: 'Cumulative' }).click();
  await page.locator('canvas').waitFor();
  await page.getByText('As a table').click();
  const users = await page.getByRole('table').first().getByRole('columnheader').allInnerTexts();
  t.same(new Set(users.slice(1)), new Set(['Ann Smith', 'Ben', MARKUP]), 'a stack per user');
}
