/**
 * `npm run console:shots`: pictures of pages and dialogs of the console in `dist/console-shots`, and `index.html` with all of them.
 * `-- limit` takes only those whose name contains `limit`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { type Console, logIn, startConsole } from '../console.js';
import { LOOKS, type Look, SHOTS, type Shot } from './list.js';

const FOLDER = 'dist/console-shots';

const OPTIONS: Readonly<Record<Look, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};

/** The pages of one look, which stay logged in. */
async function pageOf({ browser, url }: Console, look: Look): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...OPTIONS[look] });
  const page = await context.newPage();
  page.setDefaultTimeout(5_000);
  await page.goto(url);
  return page;
}

async function take(page: Page, running: Console, shot: Shot): Promise<Buffer> {
  const { state = 'full', path, act } = shot;
  if (state === 'error') await page.route('**/v1/orgs/**', (route) => route.fulfill(FAILURE));
  await page.goto(running.url + path.replace('ORG', state === 'empty' ? 'globex' : 'acme'));
  await page.getByRole('heading').first().waitFor();
  if (state !== 'error') await page.waitForLoadState('networkidle').catch(() => undefined);
  await act?.(page);
  // The answer to what was typed, and the chart.
  await page.waitForTimeout(500);
  const picture = await page.screenshot({ fullPage: shot.act === undefined });
  await page.unrouteAll();
  return picture;
}

const FAILURE = {
  status: 500,
  contentType: 'application/problem+json',
  body: JSON.stringify({ title: 'Internal error', status: 500, code: 'internal' }),
};

const only = process.argv[2] ?? '';
const shots = SHOTS.filter(({ name }) => name.includes(only));
const running = await startConsole();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const pictures: string[] = [];
for (const look of LOOKS) {
  const page = await pageOf(running, look);
  const wanted = shots.filter(({ looks = LOOKS }) => looks.includes(look));
  // The pages before the login come first.
  for (const shot of wanted.toSorted((a, b) => Number(b.state === 'login') - Number(a.state === 'login'))) {
    if (shot.state !== 'login' && (await page.getByLabel('Admin token').isVisible())) await logIn(page);
    const file = `${shot.name}.${look}.png`;
    writeFileSync(`${FOLDER}/${file}`, await take(page, running, shot));
    pictures.push(file);
  }
  await page.context().close();
}
const figures = pictures
  .toSorted()
  .map((file) => `<figure><img src="${file}" loading="lazy"><figcaption>${file}</figcaption></figure>`);
const style =
  'body{font:14px system-ui;display:flex;flex-wrap:wrap;gap:16px}figure{margin:0}img{max-width:600px;border:1px solid #ccc}';
writeFileSync(
  `${FOLDER}/index.html`,
  `<!doctype html><meta charset="utf-8"><style>${style}</style>${figures.join('\n')}`,
);
await running.close();
process.stdout.write(`${pictures.length} pictures in ${FOLDER}/index.html\n`);
