/** Every page and every dialog of the console, for tests that are about all of them; and an org in which none is empty. */
import type { Locator, Page } from 'playwright-core';
import { charges } from '../../src/quota/charge.js';
import { addDelivery, applyNow } from '../admin/support.js';
import { type Console, loaded, MARKUP, showPage } from './console.js';

/** Below `orgs/acme`, in the order of the navigation; tabs are pages of their own. */
export const PAGES = [
  'overview',
  'history?by=user',
  'history?by=quota&figures=cumulative',
  'events',
  'in-flight',
  'users',
  'users/ann',
  'users/ann?tab=consumption',
  'users/ann?tab=groups',
  'users/ann?tab=keys',
  'users/ben?tab=refusals',
  'groups',
  'groups/analysts',
  'groups/analysts?tab=consumption',
  'limits',
  'notices',
  'notices?tab=webhooks',
  'notices?tab=failures',
  'keys',
  'tokens',
  'settings',
  'audit',
  'audit?log=access',
] as const;

export interface DialogPlace {
  /** Below `orgs/acme`. */
  readonly path: string;
  /** What opens it, where the address does not. */
  readonly open?: (page: Page) => Promise<void>;
}

const click = (name: string | RegExp) => async (page: Page) =>
  page.getByRole('main').getByRole('button', { name }).first().click();

const choose = (menu: string | RegExp, item: string) => async (page: Page) => {
  await page.getByRole('button', { name: menu }).first().click();
  await page.getByRole('menuitem', { name: item }).click();
};

async function openOrgs(page: Page): Promise<void> {
  const more = page.getByRole('button', { name: 'More', exact: true });
  // On phones it is behind the bar.
  if (await more.isVisible()) await more.click();
  await page.getByRole('button', { name: /^Organization: / }).click();
}

export const DIALOGS: readonly DialogPlace[] = [
  { path: 'overview', open: (page) => page.keyboard.press('Control+k') },
  { path: 'overview', open: openOrgs },
  { path: 'limits?set=new' },
  { path: 'limits?edit=usage:u:ann' },
  { path: 'limits?raise=usage:u:ann' },
  { path: 'limits?endRaise=usage:g:analysts' },
  { path: 'limits?delete=usage:u:ann' },
  { path: 'limits', open: click('Distribute evenly') },
  { path: 'users?invite=new' },
  { path: 'users?import=csv' },
  { path: 'users?profile=ben' },
  { path: 'users?deactivate=ben' },
  { path: 'users?activate=eve' },
  { path: 'users?remove=ben' },
  { path: 'users/ann?set=lds' },
  { path: 'groups?create=group' },
  { path: 'groups?rename=eng' },
  { path: 'groups?setGroup=eng' },
  { path: 'groups?deleteGroup=eng' },
  { path: 'groups/eng?add=member' },
  { path: 'in-flight', open: click(/^Release/) },
  { path: 'notices?change=when' },
  { path: 'notices?change=email' },
  { path: 'notices?test=all' },
  { path: 'notices?tab=webhooks', open: click('Add webhook') },
  { path: 'notices?tab=webhooks', open: choose(/^Actions for/, 'Change URL') },
  { path: 'notices?tab=webhooks', open: choose(/^Actions for/, 'Replace secret') },
  { path: 'notices?tab=webhooks', open: choose(/^Actions for/, 'Delete') },
  { path: 'keys?create=key' },
  { path: 'keys', open: click(/^Delete/) },
  { path: 'tokens?create=token' },
  { path: 'tokens', open: click(/^Delete: dashboard/) },
  { path: 'settings?open=org' },
  { path: 'settings?open=archive' },
  { path: 'settings?plan=usage' },
  { path: 'settings?topUp=usage' },
];

/** The login over the page: what is typed below it stays. */
export const ENDED_SESSION: DialogPlace = {
  path: 'overview',
  open: (page) => page.context().clearCookies(),
};

/** How many elements there are that only a name could have made. */
export const FOREIGN = `document.querySelectorAll('img[src="x"], [onerror]').length`;

/** Closes the dialog that is open, and opens this one. */
export async function showDialog(page: Page, url: string, { open }: DialogPlace): Promise<Locator> {
  const dialog = page.getByRole('dialog');
  // Escape also works after a click on what takes no focus.
  if (await dialog.isVisible()) await dialog.getByRole('heading').first().click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await showPage(page, url);
  await open?.(page);
  await loaded(dialog);
  return dialog;
}

/** Names that would be markup in every field, a raise, a hold, keys, tokens, webhooks and a message that could not be delivered. */
export async function fillOrg({ api, gateway, call }: Console): Promise<void> {
  const { ledger } = gateway.app;
  await api('PATCH', '/orgs/acme/users/ann', { role: MARKUP });
  await api('PATCH', '/orgs/acme/groups/eng', { name: `${MARKUP} of ${'Engineering'.repeat(8)}` });
  await api('POST', '/orgs/acme/keys', { user: 'ann', name: MARKUP });
  await api('POST', '/tokens', {
    name: `dashboard ${MARKUP}`,
    role: 'viewer',
    orgs: ['acme'],
    reason: MARKUP,
  });
  await api('POST', '/orgs/acme/limits', { user: 'eve', quota: 'usage', units: 10, reason: MARKUP });
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await api('POST', '/orgs/acme/limits/usage:g:analysts/raise', { units: 50, until, reason: MARKUP });
  await call('eve', 2);
  await api('PATCH', '/orgs/acme/users/eve', { status: 'inactive' });
  const reserve = charges(MARKUP, [{ quota: 'usage', units: 400, kind: 'held' }]);
  const hold = {
    kind: 'reserve',
    user: 'ann',
    claims: '',
    charges: reserve,
    hold: 'h1',
    ttlMs: 600_000,
  } as const;
  await applyNow(ledger, 'acme', [hold]);
  await addDelivery(ledger, 'acme');
}
