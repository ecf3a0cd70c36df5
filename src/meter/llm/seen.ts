/** What an answer has told so far: its usage, and the text that it was counted by. */
import type { Usage } from '../../quota/tokens.js';
import type { Part } from './rates.js';

/**
 * `floor`: as of the start; `so far`: right if the answer ends well now; `final`: the last word of the provider.
 */
export type Certainty = 'floor' | 'so far' | 'final';

export class Seen {
  usage: Usage | undefined;
  certainty: Certainty = 'floor';
  /** The answer told of a fault. */
  failed = false;
  /** The answer is made later, or goes on without a reader. */
  pending = false;
  /** The last usage that came could not be used. */
  doubtful = false;
  textBytes = 0;
  /** Which model took which tokens of the usage, where the answer says so. */
  parts: readonly Part[] = [];
  /** Of the last event, where an API numbers them. */
  sequence = -1;

  /** The latest whole object counts. `null`: there was one that cannot be used; undefined: there was none. */
  tell(usage: Usage | null | undefined, certainty: Certainty): void {
    if (usage === undefined) return;
    this.doubtful = usage === null;
    if (usage === null) return;
    this.usage = usage;
    this.certainty = certainty;
  }

  /** Whether the usage is the provider's word on the whole answer. */
  settled(whole: boolean): boolean {
    if (this.usage === undefined || this.doubtful) return false;
    return this.certainty === 'final' || (this.certainty === 'so far' && whole && !this.failed);
  }
}
