/** Reads an answer while it passes to the client, and reports what the held charges cost. */
import type { Problem } from '../errors/catalogue.js';
import type { TokenReport } from '../quota/tokens.js';

/** The final cost of a held charge. `estimated`: the upstream did not state it. */
export interface Cost {
  readonly units: number;
  readonly estimated: boolean;
  /** A lower bound: the answer broke off, or parts of it could not be read. */
  readonly partial?: boolean | undefined;
}

/** By held charge; undefined where the answer carried no usable cost. */
export type Costs = readonly (Cost | undefined)[];

/** The forwarder's side: sees an answer while it passes, and decides what the client gets. */
export interface AnswerObserver {
  /** `fields`: flat, as the upstream sent them. True: `data` may change the body, so Content-Length must not be passed on. */
  head(status: number, fields: readonly Buffer[]): boolean;
  /** The bytes for the client: the same chunk, unless something is removed or kept back; undefined: nothing yet. */
  data(chunk: Buffer): Buffer | undefined;
  /** Asked after `data`. A promise that resolves when the next chunk may come; undefined: now. */
  ready?(): Promise<void> | undefined;
  /** The answer has ended well. Returns the bytes that were kept back. */
  end(): Buffer | undefined;
}

/** The settlement's side: what the answer says about the costs of the held charges. */
export interface CostEvidence {
  /** Units consumed so far, by held charge. */
  progress(): number[];
  /**
   * Asked once, after the last byte; `head` may never have been called. `whole`: the answer ended well. A promise while a
   * compressed body is still being decoded.
   */
  costs(whole: boolean): Costs | Promise<Costs>;
  /** The answer was only an error, whatever its status: nothing is charged. Asked after `costs`. */
  isVoid?(): boolean;
  /** The tokens counted, where the cost is in tokens. Asked after `costs`. */
  report?(): TokenReport | undefined;
}

/** One object per answer, for both sides. */
export interface AnswerReader extends AnswerObserver, CostEvidence {
  /** Present where the hold grows with the answer. */
  readonly steps?: HoldSteps | undefined;
}

/** A hold that grows with its answer. */
export interface HoldSteps {
  /** Called within `data` when the hold is nearly used up; not again before `granted` or `refused` was called. */
  onShort: (() => void) | undefined;
  /** By held charge: further units to hold. */
  wanted(): number[];
  granted(): undefined;
  /** The quota has nothing left. Returns the bytes that end the client's stream in place of the rest; undefined: it goes on. */
  refused(problem: Problem): Buffer | undefined;
}
