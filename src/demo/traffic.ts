/** Calls of a believable team: in working hours, some people more than others, the same at each start. */
import type { ReserveOp } from '../ledger/port.js';
import { type ChargeItem, charges } from '../quota/charge.js';

/** By hour of the day, in UTC. */
const BUSY = [0, 0, 0, 0, 0, 0, 1, 4, 8, 9, 8, 5, 6, 9, 8, 6, 3, 1, 1, 0, 0, 0, 0, 0];
const WEEKEND = 0.08;
/** Calls of the busiest person in the busiest hour. */
const CALLS_MAX = 5;
const TENTH = 1;

export class Traffic {
  private state = 20_260_520;

  constructor(private readonly people: readonly string[]) {}

  inHour(now: number): ReserveOp[] {
    const time = new Date(now);
    const day = time.getUTCDay();
    const rate = ((BUSY[time.getUTCHours()] ?? 0) / 9) * (day === 0 || day === 6 ? WEEKEND : 1);
    return this.people.flatMap((user, index) => {
      const expected = (rate * CALLS_MAX) / (1 + index / 2);
      const count = Math.floor(expected + this.random());
      return Array.from({ length: count }, () => this.call(user));
    });
  }

  /** A tenth of a unit is the smallest amount of `usage`. */
  query(user: string): ReserveOp {
    return reserve(user, 'sql', [{ quota: 'usage', units: 100 * TENTH, kind: 'fixed' }]);
  }

  chat(user: string, tokens: number): ReserveOp {
    return reserve(user, 'chat', [
      { quota: 'ai', units: tokens, kind: 'fixed' },
      { quota: 'usage', units: 0, kind: 'gate' },
    ]);
  }

  private call(user: string): ReserveOp {
    const kind = this.random();
    if (kind < 0.3) return this.chat(user, 400 + Math.floor(this.random() ** 2 * 6_000));
    if (kind < 0.45) return this.query(user);
    const map: ChargeItem = { quota: 'usage', units: TENTH, kind: 'fixed' };
    if (kind > 0.94) {
      const addresses = 1 + Math.floor(this.random() * 12);
      return reserve(user, 'geocoding', [{ quota: 'lds', units: addresses, kind: 'fixed' }, map]);
    }
    return reserve(user, 'maps', [map]);
  }

  /** A linear congruential generator: good enough to look uneven. */
  private random(): number {
    this.state = (this.state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return this.state / 4_294_967_296;
  }
}

function reserve(user: string, action: string, items: readonly ChargeItem[]): ReserveOp {
  return { kind: 'reserve', user, claims: '', charges: charges(action, items), hold: '', ttlMs: 0 };
}
