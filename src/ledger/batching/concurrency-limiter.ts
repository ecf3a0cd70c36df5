/** Lets a bounded number of jobs run at once, the others in their order: what an outage dammed up flows off in a stream. */
export class ConcurrencyLimiter {
  private inside = 0;
  private readonly waiting: (() => Promise<unknown>)[] = [];

  constructor(private readonly most: number) {}

  /** Starts the job now if fewer than the maximum run. The job must not reject. */
  enter(job: () => Promise<unknown>): void {
    if (this.inside < this.most) this.run(job);
    else this.waiting.push(job);
  }

  private run(job: () => Promise<unknown>): void {
    this.inside += 1;
    job().finally(() => {
      this.inside -= 1;
      const next = this.waiting.shift();
      if (next !== undefined) this.run(next);
    });
  }
}

/** A delay of half to all of `ms`: what waits on the same event does not come back at the same instant. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
