/** All breaks that a test has to notice: at least one per rule of PRODUCT.md §2 that a ledger decides, in each, and of §3. */

import { HOLDS } from './holds.js';
import { LIMITS } from './limits.js';
import { METER } from './meter.js';
import type { Mutant } from './mutant.js';
import { ORGS } from './orgs.js';

export const MUTANTS: readonly Mutant[] = [...LIMITS, ...HOLDS, ...ORGS, ...METER];
