/** The price of one request, as meters hand it on. */
import type { Charges } from '../quota/charge.js';
import type { AnswerReader } from './reader.js';

/** What one request may cost, and what is to be done about it and its answer. */
export interface Priced {
  readonly charges: Charges;
  /** Looks on while the answer passes. Left out where every cost is known before. */
  readonly reader?: AnswerReader | undefined;
  /** The least that an answer which counts is charged, by held charge. */
  readonly floors?: readonly number[] | undefined;
  /** Goes upstream in place of the client's body. */
  readonly body?: Buffer | undefined;
  /** Flat; goes upstream in place of the client's fields of these names. */
  readonly setFields?: readonly string[] | undefined;
  /** Flat; sent to the client with the answer. */
  readonly answerFields?: readonly string[] | undefined;
  /** The same request made to fit into what is left of each quota; undefined where it cannot be. Left out: it is not tried. */
  readonly clamp?: ((left: (quota: string) => number) => Priced | undefined) | undefined;
}
