/** The demo in this process, on free ports, and a browser. */
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

/** Any free ones. */
const ANY_PORTS = { port: 0, adminPort: 0, opsPort: 0 };

export async function startDemo(): Promise<RunningDemo> {
  let output = '';
  const out = { write: (text: string) => (output += text) };
  const running = await demo({ environment: {}, ports: ANY_PORTS, out, notes: process.stderr });
  const [, url = ''] = /(http\S+\/console\/)/.exec(output) ?? [];
  const [, token = ''] = /admin token (\S+)/.exec(output) ?? [];
  const browser = await openBrowser();
  return { browser, url, token, close: () => Promise.all([browser.close(), running.close()]) };
}
