/** Maintains a ledger, in one process at a time: expires holds of idle orgs and folds the journal into history. */
import { randomUUID } from 'node:crypto';
import type { Ledger } from '../ledger/port.js';
import { foldJournal } from './fold.js';
import { type Expired, outdatedHistory, sweepOrg } from './sweep.js';

export interface MaintenanceOptions {
  readonly ledger: Ledger;
  /** Time between two rounds. */
  readonly everyMs: number;
  readonly onError: (error: unknown) => void;
  /** Called when holds of an org expired. */
  readonly onExpired?: (expired: Expired) => void;
}

export interface MaintenanceLoop {
  /** Runs one round over all orgs, if this process gets the lease. */
  round(): Promise<void>;
  close(): Promise<void>;
}

/** Days looked back for expired history: the longest time that maintenance may have been interrupted. */
const CATCH_UP_DAYS = 7;

export function startMaintenance(options: MaintenanceOptions): MaintenanceLoop {
  const { ledger, everyMs, onError } = options;
  const holder = randomUUID();
  let underWay: Promise<void> = Promise.resolve();
  let closed = false;

  const round = async (): Promise<void> => {
    if (!(await ledger.lease('maintenance', holder, everyMs * 3))) return;
    for (const org of await ledger.orgs()) {
      if (closed || !ledger.ready) return;
      // A failure in one org must not stop the others.
      await keep(org).catch(onError);
    }
  };

  const keep = async (org: string): Promise<void> => {
    const expired = await sweepOrg(ledger, org);
    if (expired.expired > 0) options.onExpired?.(expired);
    await foldJournal(ledger, org);
    const { values } = await ledger.read(org, [{ table: 'org', fields: ['now'] }]);
    await ledger.drop(org, outdatedHistory(Number(values[0]?.[0] ?? 0), CATCH_UP_DAYS));
  };

  const timer = setInterval(() => {
    underWay = underWay.then(() => (closed || !ledger.ready ? undefined : round())).catch(onError);
  }, everyMs);

  return {
    round,
    async close() {
      closed = true;
      clearInterval(timer);
      await underWay;
    },
  };
}
