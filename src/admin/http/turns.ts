/** Long work in pieces: the event loop, shared with the gateway, gets its turn after each. */
import { setImmediate as turn } from 'node:timers/promises';

const PIECE_MS = 1;
/** The clock is looked at once in so many steps. */
const STEPS_A_LOOK = 64;

export class Turns {
  private steps = 0;
  private endsAt = performance.now() + PIECE_MS;

  /** Counts a step; returns whether the event loop should get its turn. */
  isDue(): boolean {
    this.steps += 1;
    return this.steps % STEPS_A_LOOK === 0 && performance.now() > this.endsAt;
  }

  async next(): Promise<void> {
    await turn();
    this.endsAt = performance.now() + PIECE_MS;
  }
}
