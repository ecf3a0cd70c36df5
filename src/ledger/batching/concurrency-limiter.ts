/**
 * Runs a limited number of jobs at once and the others in order, so that the backlog of an outage is sent gradually.
 */
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

/**
 * Returns a random delay of half to all of `ms`, so that jobs that wait for the same event do not all restart at once.
 */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
