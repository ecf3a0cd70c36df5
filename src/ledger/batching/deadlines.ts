/**
 * One timer for all waiting decisions: they have the same timeout, so they expire in the order of their arrival. The deadline is about the
 * store, and this process must not use it up alone. A fresh process reads its first hundred requests in one turn of the event loop, with code that is
 * not compiled yet; that takes longer than the deadline, on a machine whose cores are busy several times as long. So:
 * - the time runs from the end of the turn in which a request arrived, when its call is sent;
 * - where the timer itself is late, and this turn brought answers, what waits behind them gets another turn, for a second at
 *   most. A store that does not answer is never waited for longer.
 */
import { type PendingOperation, unavailable } from './pending-operation.js';

/** A timer that is later than this waited for our own work. */
const LATE_MS = 10;
/** On a machine whose cores are busy, one turn can take half of it. */
export const OWN_DELAY_MAX_MS = 1_000;

interface Entry {
  readonly pending: PendingOperation;
  at: number;
}

export class Deadlines {
  private queue: Entry[] = [];
  private head = 0;
  /** Where those of this turn begin in the queue. */
  private arriving = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = 0;
  private answersBefore = 0;

  /** `answers`: how many calls the store has answered so far. */
  constructor(
    private readonly deadlineMs: number,
    private readonly answers: () => number,
  ) {}

  add(pending: PendingOperation): void {
    if (this.arriving === this.queue.length) setImmediate(this.begin);
    this.queue.push({ pending, at: Number.POSITIVE_INFINITY });
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
    this.answersBefore = this.answers();
    setImmediate(this.giveUp);
  };

  private readonly giveUp = (): void => {
    const now = performance.now();
    const isOurDelay = now - this.timerAt > LATE_MS && this.answers() > this.answersBefore;
    const expiredAt = isOurDelay ? now - OWN_DELAY_MAX_MS : now;
    for (; this.head < this.arriving; this.head += 1) {
      const { pending, at } = this.queue[this.head] as Entry;
      if (pending.over) continue;
      if (at > expiredAt) break;
      pending.over = true;
      pending.reject(unavailable(`The store did not answer within ${this.deadlineMs} ms`));
    }
    this.queue = this.queue.slice(this.head);
    this.arriving -= this.head;
    this.head = 0;
    // Those that arrived in this turn start the timer at its end.
    this.timer = undefined;
    const [next] = this.queue;
    if (next !== undefined && this.arriving > 0) this.startTimer(now, Math.max(1, next.at - now));
  };
}
