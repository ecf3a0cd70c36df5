/** The version of this build. */
import { readFileSync } from 'node:fs';

const PACKAGE = new URL('../../../package.json', import.meta.url);

/** The version in package.json, which is shipped beside `dist`. */
export const VERSION = versionIn(readFileSync(PACKAGE, 'utf8'));

function versionIn(text: string): string {
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
