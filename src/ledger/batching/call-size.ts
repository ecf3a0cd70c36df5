/**
 * How many operations a call may contain, learnt from the counter lines of earlier calls. The first operation of a call names lines
 * that the others share (groups, pool), so that what counts is what one more operation adds.
 */

/** With this many counter lines, a script call occupies Redis for about 2 ms. */
export const LINES_MAX = 100;
const OPERATIONS_MAX = 256;
/** Until more is known, as in the slow start of TCP: the size doubles with each call that was full. */
const OPERATIONS_FIRST = 4;
const FIRST_LINES = 10;
const MARGINAL_LINES = 4;

export class CallSize {
  private firstLines = FIRST_LINES;
  private marginalLines = MARGINAL_LINES;
  private started = OPERATIONS_FIRST;

  get operations(): number {
    const fitting = 1 + Math.floor((LINES_MAX - this.firstLines) / this.marginalLines);
    return Math.max(1, Math.min(this.started, fitting));
  }

  /** A call of `operations` touched `lines`. */
  learn(operations: number, lines: number): void {
    if (operations >= this.started) this.started = Math.min(OPERATIONS_MAX, 2 * this.started);
    if (operations === 1) {
      this.firstLines += (lines - this.firstLines) / 8;
      // It tells nothing about further operations; what was learnt of them is tried anew in time.
      if (this.marginalLines > MARGINAL_LINES)
        this.marginalLines += (MARGINAL_LINES - this.marginalLines) / 16;
      return;
    }
    const marginal = Math.max(1, (lines - this.firstLines) / (operations - 1));
    // More lines than expected count at once: the next call must not take as long.
    const isMore = marginal > this.marginalLines;
    this.marginalLines = isMore ? marginal : this.marginalLines + (marginal - this.marginalLines) / 8;
  }
}
