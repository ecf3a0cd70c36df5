/** An operation on its way to the ledger, and what comes of it. */
import { ProblemError } from '../../errors/catalogue.js';
import { type Bounds, type Op, type Result, StoreError } from '../port.js';

/** Charges what was admitted without a decision: units by item that is no gate, once its end is known. */
export type ChargeLater = (units: readonly number[], estimated: boolean) => void;

/** What came of one operation; `now` and `cycle` are the org's. */
export interface Answer {
  readonly result: Result;
  readonly now: number;
  readonly cycle: Bounds;
  /** The call that decided, and the place in it: together they name the decision. */
  readonly call?: string;
  readonly index?: number;
  /** It was admitted in open mode: nothing is charged yet, and this is to be called when the request has ended. */
  readonly chargeLater?: ChargeLater;
}

export interface PendingOperation {
  readonly op: Op;
  /** Start of the closed cycle that the operation may touch, 0 for none. */
  readonly cycle: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly owed: boolean;
  /** Answered, or given up: whatever still comes of it has no reader. */
  over: boolean;
}

export function unavailable(detail: string): ProblemError {
  return new ProblemError('store-unavailable', detail);
}

/** A call that was answered `clock`. */
export const CLOCK_JUMPED = new StoreError('The store’s clock shows a time that it cannot have', false);

/** What a decision ends with that got no answer. */
export function noAnswer(error: unknown): ProblemError {
  return unavailable(error === CLOCK_JUMPED ? CLOCK_JUMPED.message : 'The store gave no answer');
}
