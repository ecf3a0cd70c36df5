/** An operation on its way to the ledger, and its result. */
import { ProblemError } from '../../errors/catalogue.js';
import { type Bounds, type FinalCost, type Op, type Result, StoreError } from '../port.js';

/** Charges a request that was admitted without a decision, once its end is known. */
export type ChargeLater = (cost: FinalCost) => void;

/** The result of one operation; `now` and `cycle` are the org's. */
export interface Answer {
  readonly result: Result;
  readonly now: number;
  readonly cycle: Bounds;
  /** The call that decided, and the index in it: together they identify the decision. */
  readonly call?: string;
  readonly index?: number;
  /** The request was admitted in open mode. Nothing is charged yet; call this when the request has ended. */
  readonly chargeLater?: ChargeLater;
}

export interface PendingOperation {
  readonly op: Op;
  /** Start of the closed cycle that the operation may touch; 0 for none. */
  readonly cycle: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly owed: boolean;
  /** Answered or abandoned: nobody reads a later result. */
  over: boolean;
}

export function unavailable(detail: string): ProblemError {
  return new ProblemError('store-unavailable', detail);
}

/** The error of a call that was answered `clock`. */
export const CLOCK_JUMPED = new StoreError('The store’s clock shows an impossible time', false);

/** The error of a decision without an answer. */
export function noAnswer(error: unknown): ProblemError {
  return unavailable(error === CLOCK_JUMPED ? CLOCK_JUMPED.message : 'The store did not answer');
}
