/** A person with a keyboard alone: what has the focus is found by Tab, and everything else is a press of a key. */
import type { Page } from 'playwright-core';
import { type Console, dialogOf } from '../console.js';

const FOCUSED = `(() => { const one = document.activeElement;
  return (one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent).trim(); })()`;

/** The name of what has the focus. */
export async function focused(page: Page): Promise<string> {
  return String(await page.evaluate(FOCUSED));
}

const PATIENCE_MS = 5_000;

/** Presses Tab until the focus is on what has that name. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed = new Set<string>();
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
    const now = await focused(page);
    if (name.test(now)) return;
    passed.add(now);
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${name}, only: ${[...passed].join(' | ')}`);
}

export async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Goes to a button or a link, and presses it. */
export async function activate(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await press(page, 'Enter');
}

/** Goes to a field of the open dialog, and types over what it has. */
export async function type(page: Page, field: RegExp, text: string): Promise<void> {
  await page.getByRole('dialog').waitFor();
  await tabTo(page, field);
  await press(page, 'Control+a');
  await page.keyboard.type(text);
}

/** Types into a field of the dialog that has a list, and takes what it finds. */
export async function find(page: Page, field: RegExp, text: string, option: RegExp): Promise<void> {
  await type(page, field, text);
  await page.getByRole('option', { name: option, selected: true }).waitFor();
  await press(page, 'Enter');
}

const ENTRIES_MAX = 20;

/** Opens a menu, and takes an entry of it. */
export async function choose(page: Page, menu: RegExp, entry: string): Promise<void> {
  await activate(page, menu);
  await page.getByRole('menu').waitFor();
  for (let step = 0; (await focused(page)) !== entry; step += 1) {
    if (step === ENTRIES_MAX) throw new Error(`the menu ${menu} has no entry ${entry}`);
    await press(page, 'ArrowDown');
  }
  await press(page, 'Enter');
}

/** Opens a page by its address, and skips the navigation. */
export async function open(page: Page, running: Console, path: string): Promise<void> {
  await page.goto(`${running.url}orgs/acme/${path}`);
  await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('Loading…').first().waitFor({ state: 'detached' });
  await press(page, 'Tab', 'Enter');
}

/** Resolves when no dialog is open. */
export async function closed(page: Page): Promise<void> {
  await dialogOf(page, /./).waitFor({ state: 'hidden' });
}
