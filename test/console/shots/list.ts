/** The pictures of the contact sheet, at most 100: one row per page or dialog, and what to do before the picture. */
import type { Page } from 'playwright-core';

export const LOOKS = ['light', 'dark', 'phone'] as const;
export type Look = (typeof LOOKS)[number];

export interface Shot {
  readonly name: string;
  /** Below the console; `ORG` stands for the org. */
  readonly path: string;
  /** `full`: an org with users and traffic. `empty`: a new one. `error`: the API answers 500. `login`: nobody is logged in. */
  readonly state?: 'full' | 'empty' | 'error' | 'login';
  /** Left out: all. */
  readonly looks?: readonly Look[];
  readonly act?: (page: Page) => Promise<void>;
}

const click = (name: string) => (page: Page) => page.getByRole('button', { name }).first().click();

export const SHOTS: readonly Shot[] = [
  { name: 'login', path: '', state: 'login', looks: ['light', 'phone'] },
  { name: 'overview', path: 'orgs/ORG/overview' },
  { name: 'overview-cumulative', path: 'orgs/ORG/overview?figures=cumulative', looks: ['light'] },
  { name: 'overview-empty', path: 'orgs/ORG/overview', state: 'empty', looks: ['light'] },
  { name: 'overview-error', path: 'orgs/ORG/overview', state: 'error', looks: ['light'] },
  {
    name: 'palette',
    path: 'orgs/ORG/overview',
    looks: ['light'],
    act: (page) => openPalette(page, 'an'),
  },
  { name: 'menu', path: 'orgs/ORG/overview', looks: ['phone'], act: click('More') },
  { name: 'user-menu', path: 'orgs/ORG/overview', looks: ['dark'], act: click('theme, language, log out') },
  { name: 'orgs', path: 'orgs/ORG/overview', looks: ['light'], act: click('Organization: ') },
  { name: 'limits', path: 'orgs/ORG/limits?quota=usage' },
  { name: 'limits-empty', path: 'orgs/ORG/limits', state: 'empty', looks: ['phone'] },
  { name: 'limits-error', path: 'orgs/ORG/limits', state: 'error', looks: ['light'] },
  { name: 'limits-no-match', path: 'orgs/ORG/limits?quota=usage&q=nobody', looks: ['light'] },
  {
    name: 'limit-set',
    path: 'orgs/ORG/limits?quota=usage&set=new',
    looks: ['light', 'phone'],
    act: typeSubject,
  },
  {
    name: 'limit-edit-blocks',
    path: 'orgs/ORG/limits?quota=usage&edit=usage:u:finn',
    looks: ['light', 'dark'],
    act: typeTooLittle,
  },
  {
    name: 'limit-raise',
    path: 'orgs/ORG/limits?quota=usage&raise=usage:u:mona',
    looks: ['light', 'phone'],
    act: typeRaise,
  },
  {
    name: 'limit-delete',
    path: 'orgs/ORG/limits?quota=usage&delete=usage:u:mona',
    looks: ['dark'],
  },
  {
    name: 'distribute',
    path: 'orgs/ORG/limits?quota=usage',
    looks: ['light'],
    act: distribute,
  },
  { name: 'users', path: 'orgs/ORG/users' },
  { name: 'users-empty', path: 'orgs/ORG/users', state: 'empty', looks: ['light'] },
  { name: 'users-error', path: 'orgs/ORG/users', state: 'error', looks: ['light'] },
  { name: 'users-cap', path: 'orgs/ORG/users', looks: ['light'], act: typeCap },
  { name: 'users-invite', path: 'orgs/ORG/users?invite=new', looks: ['phone'] },
  { name: 'users-import', path: 'orgs/ORG/users?import=csv', looks: ['light'], act: chooseWrongFile },
  { name: 'user-edit', path: 'orgs/ORG/users?profile=finn', looks: ['light'] },
  { name: 'user-remove', path: 'orgs/ORG/users?remove=ana', looks: ['light'] },
  { name: 'user-deactivate', path: 'orgs/ORG/users?deactivate=ana', looks: ['dark'] },
  { name: 'user', path: 'orgs/ORG/users/finn' },
  { name: 'user-consumption', path: 'orgs/ORG/users/finn?tab=consumption', looks: ['light'] },
  { name: 'user-groups', path: 'orgs/ORG/users/finn?tab=groups', looks: ['light'] },
  { name: 'user-keys', path: 'orgs/ORG/users/finn?tab=keys', looks: ['light'] },
  { name: 'user-refusals', path: 'orgs/ORG/users/finn?tab=refusals', looks: ['phone'] },
  { name: 'groups', path: 'orgs/ORG/groups', looks: ['light', 'dark'] },
  { name: 'groups-empty', path: 'orgs/ORG/groups', state: 'empty', looks: ['light'] },
  { name: 'group-create', path: 'orgs/ORG/groups?create=group', looks: ['light'] },
  { name: 'group-delete', path: 'orgs/ORG/groups?deleteGroup=engineering', looks: ['light'] },
  { name: 'group', path: 'orgs/ORG/groups/engineering', looks: ['light', 'phone'] },
  { name: 'group-add', path: 'orgs/ORG/groups/engineering?add=member', looks: ['light'], act: typeMember },
  { name: 'history', path: 'orgs/ORG/history' },
  {
    name: 'history-users',
    path: 'orgs/ORG/history?by=user&figures=cumulative&period=cycle',
    looks: ['light'],
  },
  { name: 'history-quotas', path: 'orgs/ORG/history?by=quota&period=year', looks: ['light'] },
  { name: 'history-empty', path: 'orgs/ORG/history?measure=refused', state: 'empty', looks: ['light'] },
  { name: 'events', path: 'orgs/ORG/events', looks: ['light', 'dark', 'phone'] },
  { name: 'events-filtered', path: 'orgs/ORG/events?who=nobody', looks: ['light'] },
  { name: 'audit', path: 'orgs/ORG/audit', looks: ['light', 'phone'] },
  { name: 'in-flight', path: 'orgs/ORG/in-flight', looks: ['light', 'phone'], act: showHolds },
  { name: 'in-flight-empty', path: 'orgs/ORG/in-flight', state: 'empty', looks: ['light'] },
  { name: 'in-flight-release', path: 'orgs/ORG/in-flight', looks: ['dark'], act: askRelease },
  { name: 'notices', path: 'orgs/ORG/notices', looks: ['light', 'phone'] },
  { name: 'notices-error', path: 'orgs/ORG/notices', state: 'error', looks: ['light'] },
  { name: 'notices-when', path: 'orgs/ORG/notices?change=when', looks: ['phone'] },
  { name: 'notices-email', path: 'orgs/ORG/notices?change=email', looks: ['dark'] },
  { name: 'notices-failures', path: 'orgs/ORG/notices?tab=failures', looks: ['light'] },
  { name: 'webhooks-empty', path: 'orgs/ORG/notices?tab=webhooks', state: 'empty', looks: ['light'] },
  { name: 'webhook-made', path: 'orgs/ORG/notices?tab=webhooks', looks: ['light', 'dark'], act: addWebhook },
  // A webhook is there to be tested.
  { name: 'notices-test', path: 'orgs/ORG/notices?test=all', looks: ['light'], act: sendTest },
  {
    name: 'webhooks',
    path: 'orgs/ORG/notices?tab=webhooks',
    looks: ['phone'],
    act: click('Actions for'),
  },
  { name: 'keys', path: 'orgs/ORG/keys?create=key', looks: ['light'], act: createKey },
  { name: 'keys-list', path: 'orgs/ORG/keys', looks: ['dark', 'phone'] },
  { name: 'key-delete', path: 'orgs/ORG/keys', looks: ['light'], act: click('Delete: ') },
  { name: 'keys-empty', path: 'orgs/ORG/keys', state: 'empty', looks: ['light'] },
  { name: 'tokens', path: 'orgs/ORG/tokens', looks: ['light', 'phone'] },
  { name: 'token-create', path: 'orgs/ORG/tokens?create=token', looks: ['light', 'dark'] },
  { name: 'token-delete', path: 'orgs/ORG/tokens', looks: ['light'], act: click('Delete: ') },
  { name: 'settings', path: 'orgs/ORG/settings' },
  { name: 'settings-org', path: 'orgs/ORG/settings?open=org', looks: ['light'], act: chooseWeek },
  {
    name: 'settings-plan',
    path: 'orgs/ORG/settings?plan=usage',
    looks: ['phone'],
    act: typeSmallPlan,
  },
  {
    name: 'settings-top-up',
    path: 'orgs/ORG/settings?topUp=usage',
    looks: ['light', 'phone'],
    act: typeTopUp,
  },
  { name: 'settings-archive', path: 'orgs/ORG/settings?open=archive', looks: ['light'] },
  { name: 'not-found', path: 'orgs/ORG/nowhere', looks: ['light'] },
];

async function openPalette(page: Page, text: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill(text);
}

async function typeSubject(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'User or group' }).click();
  await page.getByRole('option').first().waitFor();
}

async function typeTooLittle(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('10');
  await page.getByLabel('Unit of the limit').selectOption('units');
}

async function typeRaise(page: Page): Promise<void> {
  await page.getByLabel('Raise by').fill('500');
  await page.getByRole('button', { name: 'Friday evening' }).click();
}

/** Gives one user a cap first: caps of 20 % do not sum to 100 %. */
async function distribute(page: Page): Promise<void> {
  await page.evaluate(`fetch('/v1/orgs/acme/limits', {
    method: 'POST',
    headers: { 'QuotaGate-Console': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'dana', quota: 'usage', percent: 20 }),
  })`);
  await page.getByRole('button', { name: 'Distribute evenly' }).click();
}

async function typeCap(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Set the cap of Ana' }).click();
  await page.getByRole('textbox', { name: 'Cap of Ana' }).fill('0.1');
  await page.keyboard.press('Enter');
}

async function chooseWrongFile(page: Page): Promise<void> {
  const buffer = Buffer.from('id,email,groups\nkim,no address,\nlee,,nobody\n');
  await page.getByLabel('CSV file').setInputFiles({ name: 'users.csv', mimeType: 'text/csv', buffer });
}

async function typeMember(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'User' }).fill('a');
  await page.getByRole('option').first().waitFor();
}

/** The demo's requests end too soon to be seen in flight. */
async function showHolds(page: Page): Promise<void> {
  const now = Date.now();
  const items = ['finn', 'mona', 'ana'].map((user, index) => ({
    id: `7f3e2b1c-chat-${index}`,
    user,
    groups: [],
    action: 'chat',
    charges: [{ quota: 'ai', kind: 'held', units: 1_250 * (index + 1), charged: 0 }],
    cycleStart: new Date(now - 9e8).toISOString(),
    admittedAt: new Date(now - 4e4 / (index + 1)).toISOString(),
    expiresAt: new Date(now + 2e4 * (index + 1)).toISOString(),
  }));
  await page.route('**/holds?*', (route) =>
    route.fulfill({ json: { items, cursor: null, snapshotAgeMs: 0 } }),
  );
  await page.getByRole('row').filter({ hasText: 'finn' }).waitFor();
}

async function askRelease(page: Page): Promise<void> {
  await showHolds(page);
  await page.getByRole('button', { name: 'Release what finn' }).click();
}

async function sendTest(page: Page): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
}

async function addWebhook(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add webhook' }).first().click();
  await page.getByLabel('URL').fill('https://hooks.example.com/quota/4711');
  await page.getByRole('dialog').getByRole('button', { name: 'Add webhook' }).click();
  await page.getByRole('dialog', { name: 'Secret of the webhook' }).waitFor();
}

async function createKey(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'User' }).fill('ana');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await page.getByLabel('Name').fill('nightly import');
  await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
  await page.getByRole('dialog', { name: 'API key created' }).waitFor();
}

async function chooseWeek(page: Page): Promise<void> {
  await page.getByLabel('A cycle lasts a').selectOption('week');
}

async function typeSmallPlan(page: Page): Promise<void> {
  await page.getByLabel('Allowance in a cycle').fill('100');
}

async function typeTopUp(page: Page): Promise<void> {
  await page.getByLabel('Add', { exact: true }).fill('2500');
  await page.getByLabel('Reason').fill('order 4711');
}
