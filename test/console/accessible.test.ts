/**
 * The console is for everyone: on every page and dialog axe finds nothing, in either theme, on screens and on phones; nothing is wider
 * than a phone or a screen at 200 % zoom; nothing moves for those who asked for that; and no name becomes markup.
 */
import type { Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { accessibilityProblems, skipWithoutBrowser } from '../support/browser.js';
import { type Console, loaded, logIn, showPage, startConsole } from './console.js';
import { DIALOGS, ENDED_SESSION, FOREIGN, fillOrg, PAGES, showDialog } from './every-page.js';

/** Left out: a dialog has one look, and no page the other theme. */
const IS_FULL = process.env.CONSOLE_LOOKS === 'all';

type Scheme = 'light' | 'dark';

interface Look {
  readonly scheme: Scheme;
  readonly size: Size;
  /** A screen that is zoomed has fewer pixels for the page. */
  readonly zoomed?: Size;
}

interface Place extends Look {
  /** Named in the results. */
  readonly where: string;
  /** A selector; undefined: the whole page. */
  readonly within?: string | undefined;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const LOOKS: readonly Look[] = [
  { scheme: 'light', size: { width: 1280, height: 800 }, zoomed: { width: 640, height: 400 } },
  { scheme: 'dark', size: { width: 360, height: 740 } },
];

/** Pages without rows, and one that does not exist. */
const EMPTY = [
  'globex/users',
  'globex/limits',
  'globex/history',
  'globex/events',
  'globex/keys',
  'acme/nowhere',
];

test('for everyone', { skip: skipWithoutBrowser }, async (t) => {
  const running = await startConsole();
  t.teardown(() => running.close());
  await fillOrg(running);
  await running.api('PATCH', '/orgs/acme/users/ann', { name: `${'Ann'.repeat(20)} ${'Smith '.repeat(10)}` });
  await Promise.all(LOOKS.map((look) => everyPlace(t, running, look)));
});

async function everyPlace(t: Test, running: Console, look: Look): Promise<void> {
  const { scheme, size } = look;
  const page = await running.browser.newPage({
    locale: 'en-GB',
    colorScheme: scheme,
    reducedMotion: 'reduce',
    viewport: size,
  });
  const check = (where: string, within?: string) => forEveryone(t, page, { ...look, where, within });
  await page.goto(running.url);
  await loaded(page.getByRole('main'));
  await check('login');
  await logIn(page);
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  for (const path of [...PAGES.map((path) => `acme/${path}`), ...EMPTY]) {
    await showPage(page, `${running.url}orgs/${path}`);
    await check(path);
    if (IS_FULL) await coloursInOtherTheme(t, page, { ...look, where: path });
  }
  // Dialogs have no colours of their own.
  const dialogs = [...DIALOGS, ENDED_SESSION].filter(
    (_, index) => IS_FULL || LOOKS[index % LOOKS.length] === look,
  );
  for (const place of dialogs) {
    const dialog = await showDialog(page, `${running.url}orgs/acme/${place.path}`, place);
    // The rest of the page cannot be reached then.
    await check(`${place.path}: ${await dialog.getByRole('heading').first().innerText()}`, 'dialog[open]');
  }
  await page.context().close();
}

async function forEveryone(t: Test, page: Page, { scheme, size, zoomed, where, within }: Place) {
  t.same(
    await accessibilityProblems(page, within === undefined ? {} : { within }),
    [],
    `${where}, ${scheme}, ${size.width} px`,
  );
  t.equal(await page.evaluate(MOVING), 0, `${where}: nothing moves`);
  t.equal(await page.evaluate(FOREIGN), 0, `${where}: names are text`);
  t.same(await page.evaluate(WIDER), [], `${where}: nothing is wider than ${size.width} px`);
  if (zoomed === undefined) return;
  await page.setViewportSize(zoomed);
  t.same(await page.evaluate(WIDER), [], `${where}: nothing is wider than the screen at 200 % zoom`);
  await page.setViewportSize(size);
}

async function coloursInOtherTheme(t: Test, page: Page, { scheme, size, where }: Place) {
  const other = scheme === 'light' ? 'dark' : 'light';
  await page.emulateMedia({ colorScheme: other });
  const problems = await accessibilityProblems(page, { rules: ['color-contrast'] });
  t.same(problems, [], `${where}, ${other}, ${size.width} px`);
  await page.emulateMedia({ colorScheme: scheme });
}

const MOVING = `document.getAnimations().filter((one) => one.playState === 'running').length`;

/** What makes the page wider than the screen, after the charts have taken its size. */
const WIDER = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const isWider = (one) => scrollWidth > clientWidth && one.getBoundingClientRect().right > clientWidth;
  done([...document.body.querySelectorAll('*')].filter(isWider).map((one) => one.outerHTML.slice(0, 200)));
})))`;
