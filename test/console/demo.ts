/** The demo in this process, on free ports where it lets one choose, and a browser. */
import type { Browser } from 'playwright-core';
import { demo } from '../../src/cli/demo.js';
import { openBrowser } from '../support/browser.js';

export interface RunningDemo {
  readonly browser: Browser;
  /** Of the console, with a slash behind. */
  readonly url: string;
  /** The admin token. */
  readonly token: string;
  close(): Promise<unknown>;
}

export async function startDemo(): Promise<RunningDemo> {
  const names = ['GATEWAY', 'ADMIN', 'OPS'];
  const addresses = Object.fromEntries(names.map((name) => [`QUOTAGATE_SERVER_${name}`, '127.0.0.1:0']));
  let output = '';
  const running = await demo(addresses, { write: (text) => (output += text) });
  const [, url = ''] = /(http\S+\/console\/)/.exec(output) ?? [];
  const [, token = ''] = /admin token (\S+)/.exec(output) ?? [];
  const browser = await openBrowser();
  return { browser, url, token, close: () => Promise.all([browser.close(), running.close()]) };
}
