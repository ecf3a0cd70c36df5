/** The numbers C15 to C20: the dialog of a limit. */
import type { Locator, Page } from 'playwright-core';
import { dialogOf, MARKUP, rowOf } from '../console.js';
import type { Reference, Shown } from './gateway.js';

export const DIALOGS: readonly Shown[] = [
  {
    number: 'C15',
    page: 'Limits',
    title: 'a limit is set: a search, a value, and that is it',
    test: async (t, at) => {
      await at.api('DELETE', '/orgs/acme/limits/usage:u:eve');
      const dialog = await setLimit(at, 'eve@', '200');
      await dialog.getByText(/Nobody is blocked/).waitFor();
      await submit(dialog, 'Set limit');
      t.match(await at.read('limits/usage:u:eve'), { units: 200 });
    },
  },
  {
    number: 'C16',
    page: 'Limits',
    title: 'who has a limit of that quota cannot be chosen, with the reason',
    test: async (t, { page, show }) => {
      await show('limits?set=new');
      await page.getByRole('combobox', { name: 'User or group' }).fill('ben');
      const option = page.getByRole('option', { name: /Ben/ });
      t.match(await option.innerText(), /Has a limit already: 1,000 units/);
      t.equal(await option.getAttribute('aria-disabled'), 'true');
    },
  },
  {
    number: 'C17',
    page: 'Limits',
    title: 'a limit is changed and deleted from its row',
    test: changeAndDelete,
  },
  {
    number: 'C18',
    page: 'Limits',
    title: 'more than zero, said in the dialog; no “unlimited”: delete instead',
    test: async (t, { page, show }) => {
      await show('limits?set=new');
      const dialog = dialogOf(page, 'Set limit on Usage');
      t.match(await dialog.innerText(), /More than 0\. There is no unlimited: to lift a limit, delete it\./);
      await amountIn(dialog).fill('0');
      await dialog.getByRole('button', { name: 'Set limit' }).click();
      await dialog.getByText('Enter a number greater than 0.').waitFor();
    },
  },
  {
    number: 'C19',
    page: 'Limits',
    title: 'a limit below what is consumed: a warning before, blocked after',
    test: async (t, at) => {
      t.same(await at.ask('eve', 'sql'), [200]);
      const dialog = await setLimit(at, 'eve@', '15');
      await dialog.getByText(/will be blocked at once: 30 of 15 units consumed/).waitFor();
      await submit(dialog, 'Save and block 1 user');
      t.same(await at.ask('eve', 'sql'), [429]);
    },
  },
  {
    number: 'C20',
    page: 'Limits',
    title: 'limits of groups from the same dialog',
    test: async (t, at) => {
      const dialog = await setLimit(at, 'eng', '900');
      t.match(await dialog.innerText(), /The members of a group share its limit\./);
      await dialog.getByText(/Nobody is blocked/).waitFor();
      await submit(dialog, 'Set limit');
      await rowOf(at.page, 'Engineering').getByText('900 units').waitFor();
    },
  },
];

const amountIn = (dialog: Locator): Locator => dialog.getByRole('textbox', { name: 'Limit', exact: true });

/** Chooses the one that the search finds, and types a value. */
async function setLimit({ page, show }: Reference, search: string, units: string): Promise<Locator> {
  await show('limits');
  await page.getByRole('button', { name: 'Set limit' }).first().click();
  const dialog = dialogOf(page, 'Set limit on Usage');
  await dialog.getByRole('combobox', { name: 'User or group' }).fill(search);
  await onlyOption(page).click();
  await amountIn(dialog).fill(units);
  return dialog;
}

/** The list may still be that of fewer letters. */
const onlyOption = (page: Page): Locator =>
  page
    .getByRole('listbox')
    .filter({ hasNot: page.getByRole('option').nth(1) })
    .getByRole('option', { disabled: false });

async function submit(dialog: Locator, button: string): Promise<void> {
  await dialog.getByRole('button', { name: button }).click();
  await dialog.waitFor({ state: 'hidden' });
}

async function changeAndDelete(t: Parameters<Shown['test']>[0], at: Reference): Promise<void> {
  const { page, show, api } = at;
  await show('limits');
  await page.getByRole('button', { name: `Edit: ${MARKUP}` }).click();
  const dialog = dialogOf(page, `Limit of ${MARKUP} on Usage`);
  await amountIn(dialog).fill('250');
  await dialog.getByText(/Nobody is blocked/).waitFor();
  await submit(dialog, 'Save limit');
  t.match(await at.read('limits/usage:u:eve'), { units: 250 });
  await page.getByRole('button', { name: `Actions for ${MARKUP}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await submit(dialogOf(page, /^Delete the limit of/), 'Delete');
  t.equal((await api('GET', '/orgs/acme/limits/usage:u:eve')).status, 404);
}
