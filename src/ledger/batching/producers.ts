/** The producers of one org: each has one call at a time on its way. */
import { isFresh, newProducer, type Producer } from './batch.js';

/** Producers with unanswered calls are set aside and new ones created, up to this many. */
const PRODUCERS_MAX = 16;

export class Producers {
  private readonly free: Producer[] = [];
  private count = 0;

  /** How many have a call on its way. */
  get busy(): number {
    return this.count - this.free.length;
  }

  /** One without a call; undefined if there may be no more. `now`: the store's time. */
  take(now: number): Producer | undefined {
    // The store may forget producers that were idle for long, so they are discarded here first.
    for (let free = this.free.pop(); free !== undefined; free = this.free.pop()) {
      if (isFresh(free)) return free;
      this.count -= 1;
    }
    if (this.count >= PRODUCERS_MAX) return undefined;
    this.count += 1;
    return newProducer(now);
  }

  /** One of an earlier process has a call on its way. */
  add(): void {
    this.count += 1;
  }

  /** Its call is complete. */
  give(producer: Producer): void {
    this.free.push(producer);
  }

  /** Its call is complete, and nothing may follow on it. */
  remove(): void {
    this.count -= 1;
  }

  /** The org does not know those without a call any more. */
  forgetFree(): void {
    this.count -= this.free.splice(0).length;
  }
}
