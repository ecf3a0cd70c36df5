/** All mutants: at least one for each rule of `docs/rules.md` that a ledger decides, in each ledger, and for the AI token meter. */

import { COMMITS } from './commits.js';
import { COMMON_PATH } from './common-path.js';
import { EXPORTS } from './exports.js';
import { HOLDS } from './holds.js';
import { JOURNAL } from './journal.js';
import { LIMITS } from './limits.js';
import { METER } from './meter.js';
import type { Mutant } from './mutant.js';
import { NOTICES } from './notices.js';
import { ORGS } from './orgs.js';
import { STAGINGS } from './stagings.js';

export const MUTANTS: readonly Mutant[] = [
  ...LIMITS,
  ...COMMON_PATH,
  ...HOLDS,
  ...JOURNAL,
  ...EXPORTS,
  ...ORGS,
  ...NOTICES,
  ...COMMITS,
  ...STAGINGS,
  ...METER,
];
