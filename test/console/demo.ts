/** The demo in this process, on free ports, and a browser. */
import type { Browser } from 'playwright-core';
import { demo } from '../../src/cli/demo.js';
import type { Environment } from '../../src/config/environment.js';
import { openBrowser } from '../support/browser.js';

export interface RunningDemo {
  readonly browser: Browser;
  /** Of the console, with a slash behind. */
  readonly url: string;
  /** Logs in once. */
  readonly link: string;
  /** The admin token. */
  readonly token: string;
  /** Addresses with ports. */
  readonly gateway: string;
  readonly admin: string;
  close(): Promise<unknown>;
}

/** Any free ones. */
const ANY_PORTS = { port: 0, adminPort: 0, opsPort: 0 };

/** `environment`: further settings, as variables. */
export async function startDemo(environment: Environment = {}): Promise<RunningDemo> {
  let output = '';
  const out = { write: (text: string) => (output += text) };
  const running = await demo({ environment, ports: ANY_PORTS, out, notes: process.stderr });
  const found = (pattern: RegExp): string => pattern.exec(output)?.[1] ?? '';
  const browser = await openBrowser();
  return {
    browser,
    url: found(/(http\S+\/console\/)/),
    link: found(/(http\S+\/console\/#code=\S+)/),
    token: found(/admin token (\S+)/),
    gateway: found(/gateway +http:\/\/(\S+)/),
    admin: found(/admin API http:\/\/(\S+)\/v1/),
    close: () => Promise.all([browser.close(), running.close()]),
  };
}
