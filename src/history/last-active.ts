/**
 * When users were last active: the hour of their last charge, or its day where hours are no longer kept. It is read from the folded
 * history only, the newest tables first, so that most users cost one field: a charge counts when it is folded, seconds later.
 */
import type { OrgStore } from '../ledger/port.js';
import { dayOf, hourStart } from '../quota/cycle.js';
import { ADJUSTMENT, sectionOf } from './names.js';
import { type Packed, unpack } from './packed.js';
import type { HistoryRetention } from './retention.js';
import { dayBefore, type RangeTable, tablesOf } from './tables.js';

/** Fields of one call: keeps it below 2 ms. */
const PAGE_FIELDS = 100;
const DAYS_A_MONTH = 31;

export interface LastActiveQuery {
  readonly org: string;
  readonly timeZone: string;
  readonly now: number;
  readonly retention: HistoryRetention;
  readonly userKeys: readonly string[];
}

/** Instants by user key, without users who were not active. */
export async function lastActive(
  store: Pick<OrgStore, 'read'>,
  query: LastActiveQuery,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (let at = 0; at < query.userKeys.length; at += PAGE_FIELDS)
    await readSome(store, { ...query, userKeys: query.userKeys.slice(at, at + PAGE_FIELDS) }, found);
  return found;
}

async function readSome(
  store: Pick<OrgStore, 'read'>,
  query: LastActiveQuery,
  found: Map<string, number>,
): Promise<void> {
  let missing = query.userKeys;
  for (const { table, at } of newestFirst(query)) {
    if (missing.length === 0) return;
    const { values } = await store.read(query.org, [{ table, fields: missing }]);
    for (const [index, userKey] of missing.entries()) {
      const text = values[0]?.[index] ?? null;
      const slot = text === null ? -1 : lastSlot(unpack(text));
      if (slot < 0) continue;
      const { day, hour } = at(slot);
      found.set(userKey, hourStart(day, hour, query.timeZone));
    }
    missing = missing.filter((userKey) => !found.has(userKey));
  }
}

function* newestFirst({ timeZone, now, retention }: LastActiveQuery): Generator<RangeTable> {
  const today = dayOf(now, timeZone);
  yield* tablesOf('userhours', dayBefore(today, retention.userHoursDays), today).reverse();
  yield* tablesOf('userdays', dayBefore(today, retention.historyMonths * DAYS_A_MONTH), today).reverse();
}

/** Neither a refused request nor an admin's correction is an activity. */
function lastSlot({ sections }: Packed): number {
  let last = -1;
  for (const [name, cells] of sections) {
    const { refused, action } = sectionOf(name);
    if (refused !== undefined || action === ADJUSTMENT) continue;
    for (const slot of cells.keys()) last = Math.max(last, slot);
  }
  return last;
}
