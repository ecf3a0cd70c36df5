/** Runs a task that one process does at a time. */
import type { OrgStore } from './port.js';

const LEASE_MS = 15_000;

export interface Lease {
  readonly job: string;
  /** Of this process. */
  readonly holder: string;
}

/** Renews the lease meanwhile; `lost` says that it could not. Returns false if another process has it. */
export async function withLease(
  ledger: Pick<OrgStore, 'lease'>,
  { job, holder }: Lease,
  task: (lost: AbortSignal) => Promise<void>,
): Promise<boolean> {
  if (!(await ledger.lease(job, holder, LEASE_MS))) return false;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    ledger.lease(job, holder, LEASE_MS).then(
      (isOurs) => (isOurs ? undefined : lost.abort()),
      () => lost.abort(),
    );
  }, LEASE_MS / 3).unref();
  try {
    await task(lost.signal);
  } finally {
    clearInterval(renewal);
    // Another process may go on at once.
    if (!lost.signal.aborted) await ledger.lease(job, holder, 1);
  }
  return true;
}
