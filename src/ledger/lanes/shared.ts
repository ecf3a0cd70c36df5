/** What the lanes of an org are made with. */
import type { Ledger, Op, UnknownUsers } from '../port.js';
import type { Answer } from './pending.js';
import type { StoreClock } from './store-clock.js';
import type { Turnstile } from './turnstile.js';
import type { CallWatch } from './watch.js';

export interface OrgLanesOptions {
  readonly ledger: Ledger;
  readonly callsInFlight: number;
  readonly watch?: CallWatch;
  readonly onTrouble?: (what: string, details: Readonly<Record<string, unknown>>) => void;
}

/** What the lanes of all orgs have in common. */
export interface Shared {
  readonly unknownUsers: UnknownUsers;
  readonly owe: (org: string, op: Op, cycle: number) => Promise<Answer>;
  readonly clock: StoreClock;
  /** Through here go calls that are sent again, and looks at lost data. */
  readonly retries: Turnstile;
  readonly looks: Turnstile;
}
