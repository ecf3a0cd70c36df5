/** What settlement works with: what was admitted, what its answer told, and who tells the store. */
import type { Op, Result } from '../ledger/port.js';
import type { CostEvidence } from '../meter/reader.js';
import type { Charges } from '../quota/charge.js';

/** Takes operations that the store must be told, and tells it until it has confirmed. */
export interface SettlementQueue {
  enqueueSettlement(org: string, op: Op, cycle: number): Promise<{ readonly result: Result }>;
}

/** A call that its caller may have sent before, by a key. */
export interface Replay {
  /** The upstream says that its answer was given before. Asked when the answer has ended. */
  readonly isMarked: boolean;
  /** The same call was charged in full. */
  readonly wasCharged: boolean;
  /** This one was. */
  charged(): void;
}

/** What a request was admitted with. */
export interface Admission {
  readonly org: string;
  readonly user: string;
  /** Tokens of the groups that were charged: a refund names them. */
  readonly groups: string;
  readonly charges: Charges;
  /** Start of the cycle of the admission, and its time. */
  readonly cycle: number;
  readonly at: number;
  /** The call that admitted: a refund names it. '' where nobody has decided. */
  readonly call: string;
  /** The hold that was left, '' where every cost is fixed. */
  readonly hold: string;
  /** With a hold: what its answer will have told, and the least that an answer is charged, by held charge. */
  readonly evidence?: CostEvidence | undefined;
  readonly floors?: readonly number[] | undefined;
  /** Only where the upstream marks replays, and the request has a key. */
  readonly replay?: Replay | undefined;
  /** Nobody has decided on it, and nothing is charged: this takes the units by item that is no gate, once they are known. */
  readonly chargeLater?: ((units: readonly number[], estimated: boolean) => void) | undefined;
}
