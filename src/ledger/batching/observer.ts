/** What operators see of the producers. */
import type { Charges } from '../../quota/charge.js';
import type { Reply } from '../port.js';

/** Called for each call to the store; left out, it costs nothing. */
export interface CallObserver {
  answered(operations: number, reply: Reply, ms: number): void;
  /** It got no answer. */
  silent(): void;
  /** A refund of these charges was not done: the store cannot show that they were charged. */
  unproven(charges: Charges): void;
}

/** Calls and operations on their way, for operators. */
export interface BatcherState {
  readonly inFlight: number;
  /** Calls without an answer, about which it is being found out. */
  readonly inDoubt: number;
  /** Operations that wait for a call. */
  readonly waiting: number;
}
