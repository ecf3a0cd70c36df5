/** What earlier answers say of an org: its epoch, the version of its rule and its cycles. Every call names them. */
import { cyclesNow, withClosed } from '../call-cycles.js';
import type { Bounds, Reply } from '../port.js';
import type { Batch } from './batch.js';

/** Bounds change once per cycle; with more tries than this, the clocks of store and rule disagree. */
const TRIES_MAX = 5;

export class OrgBounds {
  epoch = '';
  ruleVersion = 0;
  private cycles: readonly Bounds[] = [];

  learn({ epoch, cycle, previous }: Reply): void {
    this.epoch = epoch;
    if (cycle.start !== this.cycles[0]?.start) this.cycles = withClosed([cycle], previous);
  }

  /** The call named another cycle than the present one. Throws if this process cannot apply the org's rule. */
  enter(batch: Batch, reply: Reply): void {
    this.epoch = reply.epoch;
    batch.cycleTries += 1;
    if (batch.cycleTries > TRIES_MAX)
      throw new Error('The store and this process disagree on the bounds of the cycle');
    this.cycles = cyclesNow(reply);
    this.ruleVersion = reply.ruleVersion;
  }

  cyclesFor({ operations }: Batch): readonly Bounds[] {
    let cycles = this.cycles;
    for (const { cycle } of operations) cycles = withClosed(cycles, cycle);
    return cycles;
  }

  forget(): void {
    this.epoch = '';
    this.ruleVersion = 0;
    this.cycles = [];
  }
}
