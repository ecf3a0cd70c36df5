/** The price of one request, as returned by a meter. */
import type { Charges } from '../quota/charge.js';
import type { AnswerReader } from './reader.js';

/** The expected cost of one request, and how to handle its body and its answer. */
export interface Priced {
  readonly charges: Charges;
  /** Observes the answer while it passes. Absent if every cost is known in advance. */
  readonly reader?: AnswerReader | undefined;
  /** The minimum charge for an answer that counts, per held charge. */
  readonly floors?: readonly number[] | undefined;
  /** Sent upstream instead of the client's body. */
  readonly body?: Buffer | undefined;
  /** Flat list; sent upstream instead of the client's headers with these names. */
  readonly setFields?: readonly string[] | undefined;
  /** Flat list; added to the answer for the client. */
  readonly answerFields?: readonly string[] | undefined;
  /**
   * Reduces the request to what the ledger granted of each quota: less than the units of a charge, never less than its
   * `least`. Absent: the request cannot be reduced.
   */
  readonly clamp?: ((granted: (quota: string) => number) => Priced) | undefined;
}
