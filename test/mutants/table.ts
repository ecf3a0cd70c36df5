/** All breaks that a contract test has to notice: at least one per rule of PRODUCT.md §2 that a ledger decides, in each. */
import { BOOKS } from './books.js';
import { HOLDS } from './holds.js';
import { LIMITS } from './limits.js';
import type { Mutant } from './mutant.js';

export const MUTANTS: readonly Mutant[] = [...LIMITS, ...HOLDS, ...BOOKS];
