/**
 * `npm run console:shots`: pictures of pages and dialogs of the console in `dist/console-shots`, and `index.html` with all of them.
 * They show the demo, so its ports must be free. `-- limit` takes only those whose name contains `limit`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { logIn } from '../console.js';
import { type RunningDemo, startDemo } from '../demo.js';
import { LOOKS, type Look, SHOTS, type Shot } from './list.js';

const FOLDER = 'dist/console-shots';

const OPTIONS: Readonly<Record<Look, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};

async function pageOf({ browser, url }: RunningDemo, look: Look): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...OPTIONS[look] });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return page;
}

const FAILURE = {
  status: 500,
  contentType: 'application/problem+json',
  body: JSON.stringify({ title: 'Internal error', status: 500, code: 'internal' }),
};

async function take(page: Page, url: string, shot: Shot): Promise<Buffer> {
  const { state = 'full', path, act } = shot;
  if (state === 'error') await page.route('**/v1/orgs/**', (route) => route.fulfill(FAILURE));
  await page.goto(url + path.replace('ORG', state === 'empty' ? 'globex' : 'acme'));
  await page.getByRole('heading').first().waitFor();
  await page.getByText('Loading…').waitFor({ state: 'detached' });
  await act?.(page);
  // The answer to what was typed, and the chart.
  await page.waitForTimeout(700);
  const isDialog = await page.getByRole('dialog').isVisible();
  const picture = await page.screenshot({ fullPage: act === undefined && !isDialog });
  await page.unrouteAll();
  return picture;
}

/** The pictures of one look; those before the login come first. */
async function takeAll(shown: RunningDemo, look: Look, shots: readonly Shot[]): Promise<string[]> {
  const page = await pageOf(shown, look);
  const files: string[] = [];
  const isBefore = ({ state }: Shot): number => Number(state === 'login');
  let isLoggedIn = false;
  for (const shot of shots.toSorted((a, b) => isBefore(b) - isBefore(a))) {
    if (shot.state !== 'login' && !isLoggedIn) {
      await logIn(page, shown.token);
      await page.getByRole('main').getByRole('heading', { level: 2 }).first().waitFor();
      isLoggedIn = true;
    }
    const file = `${shot.name}.${look}.png`;
    try {
      writeFileSync(`${FOLDER}/${file}`, await take(page, shown.url, shot));
      files.push(file);
    } catch (error) {
      process.stderr.write(`${file}: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
  }
  await page.context().close();
  return files;
}

const STYLE =
  'body{font:14px system-ui;display:flex;flex-wrap:wrap;gap:16px}figure{margin:0}img{max-width:600px;border:1px solid #ccc}';

function writeSheet(files: readonly string[]): void {
  const figures = files.map(
    (file) => `<figure><img src="${file}" loading="lazy"><figcaption>${file}</figcaption></figure>`,
  );
  const sheet = `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${figures.join('\n')}`;
  writeFileSync(`${FOLDER}/index.html`, sheet);
}

const only = process.argv[2] ?? '';
const shown = await startDemo();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const files: string[] = [];
for (const look of LOOKS) {
  const wanted = SHOTS.filter(({ name, looks = LOOKS }) => name.includes(only) && looks.includes(look));
  files.push(...(await takeAll(shown, look, wanted)));
}
writeSheet(files.toSorted());
await shown.close();
process.stdout.write(`${files.length} pictures in ${FOLDER}/index.html\n`);
