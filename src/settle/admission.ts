/** The inputs of settlement: the admission, the response's reader, and the queue to the store. */
import type { FinalCost, Op, Result } from '../ledger/port.js';
import type { CostEvidence } from '../meter/reader.js';
import type { Charges } from '../quota/charge.js';

/** Delivers operations to the store: repeats each until the store has confirmed it. */
export interface SettlementQueue {
  enqueueSettlement(org: string, op: Op, cycle: number): Promise<{ readonly result: Result }>;
}

/** A call with an `Idempotency-Key`: its caller may have sent it before. */
export interface Replay {
  /** The upstream marked its response as a replay. Known when the response has ended. */
  readonly isMarked: boolean;
  /** The same call was charged in full before. */
  readonly wasCharged: boolean;
  /** Records that this call was charged in full. */
  charged(): void;
}

export interface Admission {
  readonly org: string;
  readonly user: string;
  /** Ids of the charged groups, comma-separated: a refund names them. */
  readonly groups: string;
  readonly charges: Charges;
  /** `<key id>:<hash>` of the API key that identified the user. */
  readonly key?: string | undefined;
  /** Start of the cycle of the admission, and its time. */
  readonly cycle: number;
  readonly at: number;
  /** The call that admitted: a refund names it. '' in open mode. */
  readonly call: string;
  /** Id of the hold; '' if all costs are fixed. */
  readonly hold: string;
  /** With a hold: the reader of the response, and the minimum charge of a response, per held charge. */
  readonly reader?: CostEvidence | undefined;
  readonly floors?: readonly number[] | undefined;
  /** Present if the upstream marks replays and the request has a key. */
  readonly replay?: Replay | undefined;
  /** In open mode nothing was charged: this gets the units of each item that is not a gate, once they are known. */
  readonly chargeLater?: ((cost: FinalCost) => void) | undefined;
}
