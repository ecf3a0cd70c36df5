/** The store's time as its answers tell it, carried on by the steady clock of this process: a skewed clock does not matter. */
export class StoreClock {
  private ahead: number | undefined;

  saw(now: number): void {
    this.ahead = now - performance.now();
  }

  /** Before the first answer, this process' own time. */
  now(): number {
    return this.ahead === undefined ? Date.now() : this.ahead + performance.now();
  }
}
