/** Who looks on while an answer passes, and what it finds that the held charges came to. */
import type { Problem } from '../errors/catalogue.js';
import type { TokenReport } from '../quota/tokens.js';

/** What a held charge came to. `estimated`: counted by us, the upstream did not say. */
export interface Cost {
  readonly units: number;
  readonly estimated: boolean;
  /** It is the least that is known: the answer broke off, or could not all be read. */
  readonly partial?: boolean | undefined;
}

/** By held charge; undefined where the answer carried no cost that can be used. */
export type Costs = readonly (Cost | undefined)[];

/** Looks on while one answer passes. */
export interface AnswerReader {
  /** Flat, as the upstream sent them. True: the body that `data` hands on may differ, so its length is not the upstream's. */
  head(status: number, fields: readonly Buffer[]): boolean;
  /** What the client gets now: the same chunk, unless something is left out or kept back; undefined: nothing yet. */
  data(chunk: Buffer): Buffer | undefined;
  /** More can be taken when it resolves; undefined: now. */
  room?(): Promise<void> | undefined;
  /** The answer has ended well: what was kept back. */
  end(): Buffer | undefined;
  /** Units known to be consumed so far, by held charge. */
  progress(): number[];
  /**
   * Asked once, when nothing more comes; `head` may never have been called. `whole`: the answer ended well. A promise where a
   * coded body is still being read.
   */
  costs(whole: boolean): Costs | Promise<Costs>;
  /** Where the hold grows with the answer. */
  readonly steps?: HoldSteps | undefined;
  /** The answer was an error and nothing else, whatever its status says: nothing is charged. Asked after `costs`. */
  isVoid?(): boolean;
  /** What was counted, asked after `costs`; only where it is tokens. */
  report?(): TokenReport | undefined;
}

/** A hold that grows with its answer. */
export interface HoldSteps {
  /** Called within `data` when what is held will soon be used up; not again before it was told `granted` or `refused`. */
  onShort: (() => void) | undefined;
  /** By held charge: units to hold on top. */
  wanted(): number[];
  granted(): undefined;
  /** There is no room. What the client's stream has to end with, in place of all that would follow; undefined: it goes on. */
  refused(problem: Problem): Buffer | undefined;
}
