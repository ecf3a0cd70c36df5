/** What settlement works with: what was admitted, what its answer told, and who tells the store. */
import type { Op, Result } from '../ledger/port.js';
import type { Charges } from '../quota/charge.js';
import type { TokenReport } from '../quota/tokens.js';

/** Takes operations that the store must be told, and tells it until it has confirmed. */
export interface SettlementQueue {
  enqueueSettlement(org: string, op: Op, cycle: number): Promise<{ readonly result: Result }>;
}

/** What a held charge came to. `estimated`: the upstream did not say so itself. */
export interface Cost {
  readonly units: number;
  readonly estimated: boolean;
  /** It is the least that is known. */
  readonly partial?: boolean | undefined;
}

/** By held charge, undefined where the answer carried no cost that can be used. */
export type Costs = readonly (Cost | undefined)[];

/** What the answer told about the costs that were held. */
export interface Evidence {
  progress(): number[];
  /** Asked once, when nothing more comes. A promise where the answer is still being read. */
  costs(whole: boolean): Costs | Promise<Costs>;
  /** The answer was an error and nothing else, whatever its status says. Asked after `costs`. */
  isVoid?(): boolean;
  /** Asked after `costs`, where tokens were counted. */
  report?(): TokenReport | undefined;
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
  readonly evidence?: Evidence | undefined;
  readonly floors?: readonly number[] | undefined;
  /** Only where the upstream marks replays, and the request has a key. */
  readonly replay?: Replay | undefined;
  /** Nobody has decided on it, and nothing is charged: this takes the units by item that is no gate, once they are known. */
  readonly chargeLater?: ((units: readonly number[], estimated: boolean) => void) | undefined;
}
