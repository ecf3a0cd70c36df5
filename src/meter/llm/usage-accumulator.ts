/** What an answer has reported so far: its usage, and the text that it was counted by. */
import type { Part } from './rates.js';
import { isObject, type Json, type StatedUsage, textBytes } from './usage.js';
import { merged, type ReadUsage } from './usage-merge.js';

/**
 * `floor`: as of the start; `so far`: right if the answer ends well now; `final`: the last word of the provider.
 */
export type Certainty = 'floor' | 'so far' | 'final';

export class UsageAccumulator {
  usage: StatedUsage | undefined;
  certainty: Certainty = 'floor';
  /** The answer reported an error. */
  failed = false;
  /** The answer is made later, or goes on without a reader. */
  pending = false;
  /** Of the usage that came last, this side could not be used. */
  inputBroken = false;
  outputBroken = false;
  /** What the model wrote. */
  textBytes = 0;
  /** Of these, bytes that say nothing of the number of tokens. */
  denseBytes = 0;
  /** What could not be read: it may be text. */
  unreadBytes = 0;
  /** Of the largest part that the end has cut, without its frame. */
  cutBytes = 0;
  /** Which model took which tokens of the usage, where the answer says so. */
  parts: readonly Part[] = [];
  /** Of an answer whose events each have their own usage: what they come to. */
  summed: Json | undefined;
  /** Of the last event, where an API numbers them. */
  sequence = -1;
  private raw: Json | undefined;

  /** @param tokensPerSecond what a second of sound counts */
  constructor(readonly tokensPerSecond = 0) {}

  /** Counts text of the model in a part of an answer. */
  write(value: unknown): void {
    if (value !== undefined) this.textBytes += textBytes(value, this);
  }

  /** The one place where the usage objects of an answer meet; `raw` as the provider sent it. */
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

  /** Whether the usage is the provider's word on the whole answer. */
  settled(whole: boolean): boolean {
    if (this.usage === undefined || this.inputBroken || this.outputBroken) return false;
    return this.certainty === 'final' || (this.certainty === 'so far' && whole && !this.failed);
  }
}
