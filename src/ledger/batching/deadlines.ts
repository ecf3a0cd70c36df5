/**
 * One timer for all waiting decisions: they have the same timeout, so they expire in the order of their arrival. The deadline is about the
 * store, and this process must not use it up alone. A fresh process reads its first hundred requests in one turn of the event loop, with code that is
 * not compiled yet; that takes longer than the deadline, on a machine whose cores are busy several times as long. So:
 * - the time runs from the end of the turn in which a request arrived, when its call is sent;
 * - where the timer itself is late, and this turn brought answers of the org, what waits behind them gets another turn, for a second
 *   at most. A store that does not answer is never waited for longer.
 */
import { type PendingOperation, unavailable } from './pending-operation.js';

/** A timer that is later than this waited for our own work. */
const LATE_MS = 10;
/** On a machine whose cores are busy, one turn can take half of it. */
export const OWN_DELAY_MAX_MS = 1_000;

/** An org, and when the store answered it last. */
export interface Answered {
  readonly answeredAt: number;
}

interface Entry {
  readonly pending: PendingOperation;
  readonly org: Answered;
  at: number;
}

export class Deadlines {
  private queue: Entry[] = [];
  /** Where those of this turn begin in the queue. */
  private arriving = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = 0;
  private expiredAt = 0;

  constructor(private readonly deadlineMs: number) {}

  add(pending: PendingOperation, org: Answered): void {
    if (this.arriving === this.queue.length) setImmediate(this.begin);
    this.queue.push({ pending, org, at: Number.POSITIVE_INFINITY });
  }

  private readonly begin = (): void => {
    const now = performance.now();
    for (; this.arriving < this.queue.length; this.arriving += 1)
      (this.queue[this.arriving] as Entry).at = now + this.deadlineMs;
    if (this.timer === undefined) this.startTimer(now, this.deadlineMs);
  };

  private startTimer(now: number, ms: number): void {
    this.timerAt = now + ms;
    this.timer = setTimeout(this.expire, ms);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  // The event loop may have been busy past the deadline while the answer was in the socket, so the answer is read
  // first.
  private readonly expire = (): void => {
    this.expiredAt = performance.now();
    setImmediate(this.giveUp);
  };

  private readonly giveUp = (): void => {
    const now = performance.now();
    const waiting: Entry[] = [];
    let head = 0;
    for (; head < this.arriving; head += 1) {
      const entry = this.queue[head] as Entry;
      if (entry.pending.over) continue;
      if (entry.at > now) break;
      if (this.isOurDelay(entry, now)) waiting.push(entry);
      else {
        entry.pending.over = true;
        entry.pending.reject(unavailable(`The store did not answer within ${this.deadlineMs} ms`));
      }
    }
    this.queue = [...waiting, ...this.queue.slice(head)];
    this.arriving += waiting.length - head;
    // Those that arrived in this turn start the timer at its end.
    this.timer = undefined;
    const [next] = this.queue;
    if (next !== undefined && this.arriving > 0) this.startTimer(now, Math.max(1, next.at - now));
  };

  private isOurDelay({ org, at }: Entry, now: number): boolean {
    const isLate = now - this.timerAt > LATE_MS;
    return isLate && org.answeredAt > this.expiredAt && now < at + OWN_DELAY_MAX_MS;
  }
}
