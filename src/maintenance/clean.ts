/** Deletes what an org keeps past its time: counters of old cycles, producers of stopped gateways, old history. */
import { decodeHold, isHoldRecord, isRequestForgotten } from '../ledger/codec.js';
import { type Ledger, PRODUCER_KEPT_MS, type Table } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import { repairMemberCounts } from './member-counts.js';

/**
 * A tombstone lives 24 h, and a late settlement charges the cycle of its admission. After twice that time, no charge
 * can arrive.
 */
const KEEP_CYCLE_MS = 48 * 3_600_000;
const PAGE = 100;
const HOUR_MS = 3_600_000;
/** Retention of history: users by the hour for 35 days, everything else for 13 months. */
const USER_HOURS_DAYS = 35;
const HISTORY_DAYS = 397;
/** Days looked back for expired history: the longest time that maintenance may have been interrupted. */
const CATCH_UP_DAYS = 7;

export async function cleanOrg(ledger: Ledger, org: string): Promise<void> {
  const work = await ledger.pendingWork(org);
  if (work === undefined) return;
  await dropOldCycles(ledger, org);
  await ledger.forgetProducers(org, PRODUCER_KEPT_MS);
  await ledger.drop(org, outdatedHistory(work.now, CATCH_UP_DAYS));
  await forgetRequests(ledger, org);
  await repairMemberCounts(ledger, org);
}

/** Deletes the counters of cycles to which nothing can be charged any more. */
async function dropOldCycles(ledger: Ledger, org: string): Promise<void> {
  const { entries } = await ledger.scan(org, 'cycles', '0', PAGE);
  // The org's time: a clock that jumped must not delete data that may still be charged.
  const { version, values } = await ledger.read(org, [{ table: 'org', fields: ['now'] }]);
  const now = Number(values[0]?.[0] ?? 0);
  const old = new Set(
    entries.filter(([, end]) => Number(end) + KEEP_CYCLE_MS < now).map(([start]) => Number(start)),
  );
  if (old.size === 0) return;
  for (const start of await cyclesOfHolds(ledger, org)) old.delete(start);
  const starts = [...old];
  // Counters are deleted first: a repeated deletion is harmless, but counters that are not listed would stay forever.
  await ledger.drop(
    org,
    starts.flatMap((start): Table[] => [`consumed:${start}`, `held:${start}`]),
  );
  const changes = starts.map((start) => ({ del: 'cycles', field: String(start) }) as const);
  if (changes.length > 0) await ledger.commit(org, { version, changes, audit: '' });
}

const FORGOTTEN_AT_ONCE = 1_000;

/** Deletes the answers that are kept for repeated requests, a day after the first one. */
async function forgetRequests(ledger: Ledger, org: string): Promise<void> {
  const { now, version } = await ledger.read(org, []);
  const requests = await scanAll(ledger, org, 'requests');
  const old = [...requests].filter(([, text]) => isRequestForgotten(text, now));
  for (let from = 0; from < old.length; from += FORGOTTEN_AT_ONCE) {
    const some = old.slice(from, from + FORGOTTEN_AT_ONCE);
    const changes = some.map(([field]) => ({ del: 'requests', field }) as const);
    const at = version + from / FORGOTTEN_AT_ONCE;
    // Another change was faster: tomorrow.
    if ((await ledger.commit(org, { version: at, changes, audit: '' })) === undefined) return;
  }
}

async function cyclesOfHolds(ledger: Ledger, org: string): Promise<Set<number>> {
  const starts = new Set<number>();
  // An unreadable record counts as missing.
  for (const record of (await scanAll(ledger, org, 'holds')).values())
    if (isHoldRecord(record)) starts.add(decodeHold(record).cycle);
  return starts;
}

/** Tables of history whose retention ended in the `days` before `now`. */
function outdatedHistory(now: number, days: number): Table[] {
  const tables: Table[] = [];
  for (let back = 0; back < days; back += 1) {
    const userDay = isoDay(now - (USER_HOURS_DAYS + 1 + back) * 24 * HOUR_MS);
    const day = isoDay(now - (HISTORY_DAYS + 1 + back) * 24 * HOUR_MS);
    tables.push(`history:users:${userDay}`, `history:groups:${day}`);
    // A month is deleted when its last day has expired.
    if (day.endsWith('-01'))
      tables.push(`history:days:${isoDay(Date.parse(day) - 24 * HOUR_MS).slice(0, 7)}`);
  }
  return tables;
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);
}
