/**
 * The store's time from its answers, continued by the steady clock of this process, so that a wrong system clock does
 * not matter.
 */
export class StoreClock {
  private ahead: number | undefined;

  saw(now: number): void {
    this.ahead = now - performance.now();
  }

  /** Before the first answer: the system time of this process. */
  now(): number {
    return this.ahead === undefined ? Date.now() : this.ahead + performance.now();
  }
}
