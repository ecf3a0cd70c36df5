/** A real browser, headless, and the checks that tests of the console share. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env.QUOTAGATE_CHROMIUM ?? '/usr/bin/chromium';

/** Skip option for tap: with CI=true a missing browser is a failure. */
export const skipWithoutBrowser: string | false =
  process.env.CI === 'true' || existsSync(CHROMIUM) ? false : 'chromium is not installed';

export function openBrowser(): Promise<Browser> {
  // Without the sandbox, because root has none.
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox'] });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

interface Check {
  /** A selector; left out: the whole page. */
  readonly within?: string;
  /** Left out: all. */
  readonly rules?: readonly string[];
}

/** What a person with a disability meets on the page, a line for each place; empty if there is nothing. */
export async function accessibilityProblems(page: Page, { within, rules }: Check = {}): Promise<string[]> {
  // Evaluated, because the content security policy refuses a script element.
  if (await page.evaluate(`typeof axe === 'undefined'`)) await page.evaluate(AXE);
  const context = within === undefined ? 'document' : JSON.stringify(within);
  const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: rules }) };
  const { violations } = (await page.evaluate(`axe.run(${context}, ${JSON.stringify(options)})`)) as {
    violations: readonly Violation[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary.replaceAll('\n', ' ')}`),
  );
}
