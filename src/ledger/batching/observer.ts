/** What operators see of the producers. */
import type { Charges } from '../../quota/charge.js';
import type { Reply } from '../port.js';

/** Called for each call to the store; optional. */
export interface CallObserver {
  answered(operations: number, reply: Reply, ms: number): void;
  /** The call got no answer. */
  silent(): void;
  /** Calls that the store had answered, and lost. */
  lostCalls(count: number): void;
  /** A refund of these charges was not made: the store cannot prove that they were charged. */
  unproven(charges: Charges): void;
}

/** Pending calls and operations, for operators. */
export interface BatcherState {
  readonly inFlight: number;
  /** Unanswered calls that are being reconciled. */
  readonly inDoubt: number;
  /** Operations that wait for a call. */
  readonly waiting: number;
}
