/**
 * How far away the store is, and how many calls of an org may be in flight. Next to the store two calls are enough, and fewer, larger
 * calls are cheaper. Farther away, a request would wait for an answer that is only under way.
 *
 * The distance is the shortest time that an answer took lately: queueing, here or in the store, only adds to it.
 */
export const CALLS_NEAR = 2;
const CALLS_MAX = 16;
/** One call more for each of these. A call of a nearby store takes less, its script included. */
const CALL_MS = 0.5;
/** The shortest time is looked for anew after this many answers. */
const WINDOW = 1_000;
/** Calls of more operations say more about the time in the store than about the way to it. */
const OPERATIONS_MAX = 4;

export class Distance {
  private shortestMs = Number.POSITIVE_INFINITY;
  private shortestNowMs = Number.POSITIVE_INFINITY;
  private answers = 0;

  noteAnswer(operations: number, ms: number): void {
    if (operations > OPERATIONS_MAX) return;
    if (ms < this.shortestNowMs) this.shortestNowMs = ms;
    this.answers += 1;
    if (ms < this.shortestMs) this.shortestMs = ms;
    if (this.answers < WINDOW) return;
    this.shortestMs = this.shortestNowMs;
    this.shortestNowMs = Number.POSITIVE_INFINITY;
    this.answers = 0;
  }

  get callsInFlight(): number {
    if (this.shortestMs === Number.POSITIVE_INFINITY) return CALLS_NEAR;
    return Math.min(CALLS_MAX, Math.max(CALLS_NEAR, 1 + Math.ceil(this.shortestMs / CALL_MS)));
  }
}
