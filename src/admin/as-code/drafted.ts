/** What a part of a stated org changes. */
import type { Change } from '../../ledger/port.js';
import type { Difference } from './schemas.js';

export interface Drafted {
  readonly changes: readonly Change[];
  readonly differences: readonly Difference[];
}
