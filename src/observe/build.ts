/** The version of this build. */
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('quotagate/package.json') as { readonly version: string };

/** The version in package.json. */
export const VERSION = version;
