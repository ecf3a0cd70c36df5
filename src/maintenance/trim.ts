/** Deletes entries of the kept logs when their retention is over, so that no log grows without bound. */
import { appendedAt } from '../ledger/codec.js';
import type { KeptLog, OrgStore, PendingWork } from '../ledger/port.js';

export interface Retention {
  readonly auditMs: number;
  readonly eventsMs: number;
  /** System data whose audit log is kept as long as those of orgs. */
  readonly systemOrgs: readonly string[];
}

type LogStore = Pick<OrgStore, 'trim' | 'log' | 'clock'>;

/** An org in which nothing is outdated costs no call. */
export async function trimLogs(
  ledger: LogStore,
  org: string,
  { work, retention }: { readonly work: PendingWork; readonly retention: Retention },
): Promise<void> {
  const { now, firstAudit, firstEvent } = work;
  const firsts = [
    ['audit', firstAudit, now - retention.auditMs],
    ['events', firstEvent, now - retention.eventsMs],
  ] as const satisfies (readonly [KeptLog, string, number])[];
  for (const [log, first, before] of firsts)
    if (first !== '' && appendedAt(first) < before) await ledger.trim(org, log, before);
}

export async function trimSystemLogs(ledger: LogStore, { systemOrgs, auditMs }: Retention): Promise<void> {
  const now = await ledger.clock();
  for (const org of systemOrgs) await ledger.trim(org, 'audit', Math.max(0, now - auditMs));
}
