/** Accumulates what an answer has reported so far: its usage, and the size of its text. */
import type { UsagePart } from './rates.js';
import { isObject, type Json, type StatedUsage, textBytes } from './usage.js';
import { merged, type ReadUsage } from './usage-merge.js';

/**
 * `floor`: reported at the start; `so far`: correct if the answer ends normally now; `final`: the provider's final
 * value.
 */
export type Certainty = 'floor' | 'so far' | 'final';

export class UsageAccumulator {
  usage: StatedUsage | undefined;
  certainty: Certainty = 'floor';
  /** The answer reported an error. */
  failed = false;
  /** The answer is completed later, or continues without a client. */
  pending = false;
  /** This side of the latest usage is not usable. */
  inputBroken = false;
  outputBroken = false;
  /** Bytes that the model wrote. */
  textBytes = 0;
  /** The part of `textBytes` that does not indicate the number of tokens. */
  denseBytes = 0;
  /** Bytes that could not be read; they may be text. */
  unreadBytes = 0;
  /** Bytes of the largest truncated event, without its framing. */
  cutBytes = 0;
  /** The usage per model, if the answer reports it. */
  parts: readonly UsagePart[] = [];
  /** The sum of usage, if each event of the answer has its own. */
  summed: Json | undefined;
  /** The number of the last event, if the API numbers events. */
  sequence = -1;
  private raw: Json | undefined;

  /**
   * @param tokensPerSecond tokens per second of sound
   */
  constructor(readonly tokensPerSecond = 0) {}

  /** Counts the model's text in a part of an answer. */
  write(value: unknown): void {
    if (value !== undefined) this.textBytes += textBytes(value, this);
  }

  /** Merges one usage object of the answer; `raw` is as the provider sent it. */
  observe(raw: unknown, read: ReadUsage, certainty: Certainty): void {
    if (raw === undefined || raw === null) return;
    if (!isObject(raw)) {
      this.inputBroken = true;
      this.outputBroken = true;
      return;
    }
    const stated = read(raw);
    if (stated === undefined && this.usage === undefined) return;
    this.inputBroken = stated?.inputBroken ?? false;
    this.outputBroken = stated?.outputBroken ?? false;
    const next = merged({ raw: this.raw, usage: this.usage }, raw, read);
    this.raw = next.raw;
    this.usage = next.usage;
    this.certainty = certainty;
  }

  /** Returns whether the usage is the provider's final value for the whole answer. */
  settled(whole: boolean): boolean {
    if (this.usage === undefined || this.inputBroken || this.outputBroken) return false;
    return this.certainty === 'final' || (this.certainty === 'so far' && whole && !this.failed);
  }
}
