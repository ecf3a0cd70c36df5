/** Deletes what an org keeps past its time: counters of old cycles, producers of stopped gateways, old history. */
import { HISTORY_MONTHS_MAX, type HistoryRetention } from '../history/retention.js';
import { tablesOf } from '../history/tables.js';
import { decodeHold, isHoldRecord, REQUEST_KEPT_MS } from '../ledger/codec.js';
import { type Ledger, PRODUCER_KEPT_MS, type Table } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import { repairMemberCounts } from './member-counts.js';

/**
 * A tombstone lives 24 h, and a late settlement charges the cycle of its admission. After twice that time, no charge
 * can arrive.
 */
const KEEP_CYCLE_MS = 48 * 3_600_000;
const PAGE = 100;
const DAY = 'YYYY-MM-DD'.length;
const DAY_MS = 24 * 3_600_000;
const MONTH_DAYS = 30.5;
/** A table of seven days goes when the last of them has expired, a table of a month likewise. */
const BLOCK_DAYS = 7;
/** Days looked back for expired history, from the longest retention: maintenance may have been interrupted, or retention shortened. */
const LOOK_BACK_DAYS = Math.ceil((HISTORY_MONTHS_MAX + 4) * MONTH_DAYS);
const DROPPED_AT_ONCE = 200;

export async function cleanOrg(ledger: Ledger, org: string, retention: HistoryRetention): Promise<void> {
  const work = await ledger.pendingWork(org);
  if (work === undefined) return;
  await dropOldCycles(ledger, org);
  await ledger.forgetProducers(org, PRODUCER_KEPT_MS);
  const outdated = outdatedHistory(work.now, retention);
  for (let at = 0; at < outdated.length; at += DROPPED_AT_ONCE)
    await ledger.drop(org, outdated.slice(at, at + DROPPED_AT_ONCE));
  await forgetOld(ledger, org, { table: 'requests', keptMs: REQUEST_KEPT_MS });
  await forgetOld(ledger, org, { table: 'plans', keptMs: HISTORY_MONTHS_MAX * MONTH_DAYS * DAY_MS });
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

/** Deletes what is too old of a table whose values are `<at>|…`. */
async function forgetOld(
  ledger: Ledger,
  org: string,
  { table, keptMs }: { readonly table: Table; readonly keptMs: number },
): Promise<void> {
  const { now, version } = await ledger.read(org, []);
  const all = [...(await scanAll(ledger, org, table))];
  const old = all.filter(([, text]) => now - Number.parseInt(text, 10) >= keptMs);
  for (let from = 0; from < old.length; from += FORGOTTEN_AT_ONCE) {
    const some = old.slice(from, from + FORGOTTEN_AT_ONCE);
    const changes = some.map(([field]) => ({ del: table, field }) as const);
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

function outdatedHistory(now: number, { userHoursDays, historyMonths }: HistoryRetention): Table[] {
  const day = (back: number): string => new Date(now - back * DAY_MS).toISOString().slice(0, DAY);
  const kept = Math.ceil(historyMonths * MONTH_DAYS) + 1;
  const from = day(LOOK_BACK_DAYS);
  const tables = [
    ...tablesOf('userhours', from, day(userHoursDays + BLOCK_DAYS)),
    ...tablesOf('userdays', from, day(kept + Math.ceil(MONTH_DAYS))),
    ...tablesOf('shared', from, day(kept)),
  ];
  return tables.map(({ table }) => table);
}
