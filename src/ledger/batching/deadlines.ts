/** One timer for all waiting decisions: they have the same timeout, so they expire in the order of their arrival. */
import { type PendingOperation, unavailable } from './pending-operation.js';

export class Deadlines {
  private queue: { pending: PendingOperation; at: number }[] = [];
  private head = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly deadlineMs: number) {}

  add(pending: PendingOperation): void {
    this.queue.push({ pending, at: performance.now() + this.deadlineMs });
    this.timer ??= setTimeout(this.expire, this.deadlineMs);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  // The event loop may have been busy past the deadline while the answer was in the socket, so the answer is read
  // first.
  private readonly expire = (): void => {
    setImmediate(this.giveUp);
  };

  private readonly giveUp = (): void => {
    const now = performance.now();
    for (; this.head < this.queue.length; this.head += 1) {
      const entry = this.queue[this.head];
      if (entry === undefined) break;
      if (entry.pending.over) continue;
      if (entry.at > now) break;
      entry.pending.over = true;
      entry.pending.reject(unavailable(`The store did not answer within ${this.deadlineMs} ms`));
    }
    this.queue = this.queue.slice(this.head);
    this.head = 0;
    const next = this.queue[0];
    this.timer = next === undefined ? undefined : setTimeout(this.expire, Math.max(1, next.at - now));
  };
}
