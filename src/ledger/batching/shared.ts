/** What the producers of an org are created with. */
import type { DecisionStore, Op, UnknownUsers } from '../port.js';
import type { ConcurrencyLimiter } from './concurrency-limiter.js';
import type { Distance } from './distance.js';
import type { CallObserver } from './observer.js';
import type { Answer } from './pending-operation.js';
import type { StoreClock } from './store-clock.js';

export interface OrgBatcherOptions {
  readonly ledger: DecisionStore;
  /** Left out: as many as the distance of the store asks for. */
  readonly callsInFlight?: number;
  readonly observer?: CallObserver;
  readonly onTrouble?: (what: string, details: Readonly<Record<string, unknown>>) => void;
}

/** What the producers of all orgs share. */
export interface Shared {
  readonly unknownUsers: UnknownUsers;
  readonly enqueueSettlement: (org: string, op: Op, cycle: number) => Promise<Answer>;
  readonly clock: StoreClock;
  readonly distance: Distance;
  /** Limits calls that are sent again, and checks of lost data. */
  readonly retries: ConcurrencyLimiter;
  readonly looks: ConcurrencyLimiter;
}
