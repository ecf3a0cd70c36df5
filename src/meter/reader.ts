/** Reads an answer while it passes to the client, and reports what the held charges cost. */
import type { Problem } from '../errors/catalogue.js';
import type { TokenReport } from '../quota/tokens.js';

/** The final cost of a held charge. `estimated`: the upstream did not state it. */
export interface Cost {
  readonly units: number;
  readonly estimated: boolean;
  /** What the meter read, before weights, scaled as the units. Absent: the units. */
  readonly raw?: number | undefined;
  /** The cost is a lower bound: the answer broke off, or parts of it could not be read. */
  readonly partial?: boolean | undefined;
}

/** One entry per held charge; undefined if the answer had no usable cost. */
export type Costs = readonly (Cost | undefined)[];

/** The forwarder's view: observes an answer while it passes, and decides what the client gets. */
export interface AnswerObserver {
  /**
   * `fields`: flat, as the upstream sent them. Returns true if `data` may change the body; Content-Length must then be
   * dropped.
   */
  head(status: number, fields: readonly Buffer[]): boolean;
  /** Returns the bytes for the client: the same chunk, unless bytes are removed or withheld. Undefined: nothing yet. */
  data(chunk: Buffer): Buffer | undefined;
  /** Called after `data`. Returns a promise that resolves when the next chunk may come; undefined: now. */
  ready?(): Promise<void> | undefined;
  /** The answer ended normally. Returns the bytes that were withheld. */
  end(): Buffer | undefined;
}

/** The settlement's view: what the answer shows about the cost of the held charges. */
export interface CostEvidence {
  /** Units consumed so far, per held charge. */
  progress(): number[];
  /**
   * Called once, after the last byte; `head` may never have been called. `whole`: the answer ended normally. Returns a
   * promise while a compressed body is still being decoded.
   */
  costs(whole: boolean): Costs | Promise<Costs>;
  /** The answer was only an error, whatever its status, so nothing is charged. Called after `costs`. */
  isVoid?(): boolean;
  /** The tokens counted, if the cost is in tokens. Called after `costs`. */
  report?(): TokenReport | undefined;
}

/** Gets the decoded bytes of an answer from the reader that decodes them. */
export interface DecodedBytes {
  inspect(chunk: Buffer): void;
  /** Part of the answer could not be decoded. */
  undecodable(): void;
  /** All bytes were passed. */
  decodedEnd(): void;
}

/** One object per answer, for both views. */
export interface AnswerReader extends AnswerObserver, CostEvidence {
  /** Present if the hold grows with the answer. */
  readonly steps?: HoldSteps | undefined;
}

/** A hold that grows with its answer. */
export interface HoldSteps {
  /** Called within `data` when the hold is nearly used up. It is not called again before `granted` or `refused`. */
  onShort: (() => void) | undefined;
  /** Further units to hold, per held charge. */
  wanted(): number[];
  granted(): undefined;
  /** The quota has nothing left. Returns the bytes that end the client's stream; undefined: the stream continues. */
  refused(problem: Problem): Buffer | undefined;
}
