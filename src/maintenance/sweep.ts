/** Maintains orgs without requests: expires their holds, closes their cycle, and deletes data past its retention. */
import { cyclesNow, withClosed } from '../ledger/call-cycles.js';
import { decodeHold } from '../ledger/codec.js';
import {
  type Bounds,
  type Call,
  type Ledger,
  type Overshoot,
  PRODUCER_KEPT_MS,
  type Reply,
  type Table,
} from '../ledger/port.js';

const EXPIRE_MOST = 64;
/** The bounds may change between reading and using them; more attempts than this are an error. */
const CYCLE_TRIES_MAX = 5;
/**
 * A tombstone lives 24 h, and a late settlement charges the cycle of its admission. After twice that time, no charge
 * can arrive.
 */
const KEEP_CYCLE_MS = 48 * 3_600_000;
const CYCLES_PAGE = 100;
const HOUR_MS = 3_600_000;
/** Retention of history: users by the hour for 35 days, everything else for 13 months. */
const USER_HOURS_DAYS = 35;
const HISTORY_DAYS = 397;

/** What expired, as replies of the ledger report it. */
export type Expired = Pick<Reply, 'expired' | 'overshoots'>;

export async function sweepOrg(ledger: Ledger, org: string): Promise<Expired> {
  const expired = await expireHolds(ledger, org);
  await dropOldCycles(ledger, org);
  await ledger.forgetProducers(org, PRODUCER_KEPT_MS);
  return expired;
}

/** An empty call rolls a cycle that is over, and expires due holds of any cycle. */
async function expireHolds(ledger: Ledger, org: string): Promise<Expired> {
  let cycles: readonly Bounds[] = [];
  let ruleVersion = 0;
  let expired = 0;
  const overshoots: Overshoot[] = [];
  let cycleTries = 0;
  for (;;) {
    const reply = await ledger.apply(emptyCall(org, cycles, ruleVersion));
    if (reply.code === 'cycle') {
      cycleTries += 1;
      if (cycleTries > CYCLE_TRIES_MAX)
        throw new Error(`The cycle of ${org} changed too often during maintenance`);
      cycles = cyclesNow(reply);
      ruleVersion = reply.ruleVersion;
      continue;
    }
    if (reply.code !== 'ok') return { expired, overshoots };
    expired += reply.expired;
    overshoots.push(...reply.overshoots);
    if (reply.dueIn !== 0) cycles = withClosed(cycles, reply.dueIn);
    else if (reply.expired < EXPIRE_MOST) return { expired, overshoots };
  }
}

function emptyCall(org: string, cycles: readonly Bounds[], ruleVersion: number): Call {
  const once = { org, epoch: '', producer: '', seq: 0 };
  return { ...once, ruleVersion, cycles, unknownUsers: 'deny', expireMost: EXPIRE_MOST, ops: [] };
}

/**
 * Deletes the counters of a cycle when nothing can be charged to it any more; one cycle per sweep, the oldest first.
 */
async function dropOldCycles(ledger: Ledger, org: string): Promise<void> {
  const { entries } = await ledger.scan(org, 'cycles', '0', CYCLES_PAGE);
  // The org's time: a clock that jumped must not delete data that may still be charged.
  const { version, values } = await ledger.read(org, [{ table: 'org', fields: ['now'] }]);
  const now = Number(values[0]?.[0] ?? 0);
  const old = entries
    .filter(([, end]) => Number(end) + KEEP_CYCLE_MS < now)
    .sort(([a], [b]) => Number(a) - Number(b));
  const start = Number(old[0]?.[0] ?? 0);
  if (start === 0 || (await holdsOf(ledger, org, start))) return;
  // Counters are deleted first: a repeated deletion is harmless, but counters that are not listed would stay forever.
  await ledger.drop(org, [`consumed:${start}`, `held:${start}`]);
  await ledger.commit(org, { version, changes: [{ del: 'cycles', field: String(start) }], audit: '' });
}

async function holdsOf(ledger: Ledger, org: string, cycle: number): Promise<boolean> {
  let cursor = '0';
  do {
    const page = await ledger.scan(org, 'holds', cursor, CYCLES_PAGE);
    if (page.entries.some(([, record]) => decodeHold(record).cycle === cycle)) return true;
    cursor = page.cursor;
  } while (cursor !== '0');
  return false;
}

/** Tables of history whose retention ended in the `hours` before `now`. */
export function outdatedHistory(now: number, days: number): Table[] {
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
