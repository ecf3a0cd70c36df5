/**
 * Moves the journal into history. Buckets are the hour or day of admission in the org's time zone:
 * - `history:users:<day>`, field `<hour>|<quota>|<action>|<user>`: users by the hour, kept 35 days
 * - `history:days:<month>`, field `<day>|<quota>|<action>|<user>`: users by the day, kept 13 months
 * - `history:groups:<day>`, field `<hour>|<quota>|<action>|<g:group or o>`: groups and org by the hour, kept 13 months
 *
 * Many entries become few sums here. The store adds them in parts, so that no call of it is long. The org notes how far a
 * fold got: another process that continues it computes the same sums in the same order, and skips those.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeJournal, type JournalLine } from '../ledger/codec.js';
import type { Fold, LogEntry, OrgStore, PendingWork, Table } from '../ledger/port.js';
import { hourBucket } from '../quota/cycle.js';

/** One page of entries keeps the store below 2 ms. */
const PAGE_ENTRIES = 50;
/** A fold ends at the first page with so many entries or sums: both stay in memory, and the last part deletes the entries. */
const ENTRIES_MAX = 500;
const SUMS_MAX = 10_000;
/** Sums of one part: limits the run time of the script. */
export const PART_SUMS_MAX = 100;
/** Lines counted, and distinct lines parsed, in one turn of the event loop: less than half a millisecond. */
const COUNTED_PER_TURN = 512;
const PARSED_PER_TURN = 128;
const MINUTE_MS = 60_000;
const DAY = 'YYYY-MM-DD'.length;
const MONTH = 'YYYY-MM'.length;

type FoldStore = Pick<OrgStore, 'pendingWork' | 'log' | 'fold'>;

/** Folds the journal; returns how many entries it moved. `until`: of entries that were appended later, none. */
export async function foldJournal(
  ledger: FoldStore,
  org: string,
  until = Number.POSITIVE_INFINITY,
): Promise<number> {
  let moved = 0;
  for (;;) {
    const work = await ledger.pendingWork(org);
    if (work === undefined || work.firstEntry === '') return moved;
    if (work.folding === '' && appendedAt(work.firstEntry) > until) return moved;
    const { count, isLast } = await foldSome(ledger, org, { work, until });
    moved += count;
    if (isLast) return moved;
  }
}

/** When an entry was appended, by the store's clock. */
export function appendedAt(entry: string): number {
  return Number(entry.split('-')[0]);
}

/** What the org notes of an incomplete fold: a change of the time zone meanwhile must not change its sums. */
interface Progress {
  readonly to: string;
  /** Sums that were added. */
  readonly added: number;
  readonly timeZone: string;
}

function progressIn(text: string): Progress {
  const [to = '', added = '0', timeZone = ''] = text.split('|');
  return { to, added: Number(added), timeZone };
}

interface Folding {
  readonly work: PendingWork;
  readonly until: number;
}

async function foldSome(ledger: FoldStore, org: string, { work, until }: Folding) {
  const resumed = work.folding === '' ? undefined : progressIn(work.folding);
  const { timeZone } = resumed ?? (JSON.parse(work.rule) as { timeZone: string });
  const entries = await entriesOf(ledger, org, {
    after: work.fold,
    to: resumed?.to,
    until,
    timeZone,
  });
  const progress = { to: entries.last, added: resumed?.added ?? 0, timeZone };
  const isDone = await addSums(ledger, org, { work, progress, sums: entries.sums.list() });
  // Another process folded meanwhile: the rest is folded in the next round.
  return { count: isDone ? entries.count : 0, isLast: !isDone || entries.isLast };
}

interface Range {
  readonly after: string;
  /** Undefined: as many as one fold takes. */
  readonly to: string | undefined;
  /** Without `to`: the latest time of an entry. */
  readonly until: number;
  readonly timeZone: string;
}

async function entriesOf(ledger: FoldStore, org: string, { after, to, until, timeZone }: Range) {
  const sums = new Sums();
  let last = after;
  let count = 0;
  for (;;) {
    const all = await ledger.log(org, 'journal', last, PAGE_ENTRIES);
    const page = to === undefined ? all.filter(({ id }) => appendedAt(id) <= until) : all;
    const end = page.findIndex(({ id }) => id === to);
    const entries = end < 0 ? page : page.slice(0, end + 1);
    let parsed = 0;
    for (const [text, times] of await countLines(entries)) {
      for (const line of decodeJournal(text)) sums.add(line, times, timeZone);
      parsed += 1;
      if (parsed % PARSED_PER_TURN === 0) await nextTurn();
    }
    last = entries.at(-1)?.id ?? last;
    count += entries.length;
    if (page.length < PAGE_ENTRIES && end < 0) {
      if (to !== undefined)
        throw new Error(`The journal of ${org} lacks entry ${to}, up to which it is being folded`);
      return { sums, last, count, isLast: true };
    }
    const isFull = to === undefined && (count >= ENTRIES_MAX || sums.size >= SUMS_MAX);
    if (isFull || end >= 0) return { sums, last, count, isLast: false };
  }
}

interface Part {
  readonly work: PendingWork;
  readonly progress: Progress;
  readonly sums: Fold['adds'];
}

async function addSums(ledger: FoldStore, org: string, { work, progress, sums }: Part): Promise<boolean> {
  const { to, timeZone } = progress;
  let before = work.folding;
  for (let { added } = progress; ; added += PART_SUMS_MAX) {
    const adds = sums.slice(added, added + PART_SUMS_MAX);
    const isLast = added + PART_SUMS_MAX >= sums.length;
    const after = isLast ? '' : [to, added + PART_SUMS_MAX, timeZone].join('|');
    if (!(await ledger.fold(org, { from: work.fold, to, before, after, adds }))) return false;
    if (isLast) return true;
    before = after;
  }
}

/**
 * Returns the distinct lines and their counts. Times are cut to the minute of admission, because no bucket is finer. At
 * full load there are few distinct lines, and parsing a line takes most of the time here.
 */
async function countLines(entries: readonly LogEntry[]): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  let counted = 0;
  for (const { text } of entries) {
    for (const line of text.split('\n')) {
      const end = line.indexOf('|');
      const at = Number(line.slice(0, end));
      const coarse = `${at - (at % MINUTE_MS)}${line.slice(end)}`;
      counts.set(coarse, (counts.get(coarse) ?? 0) + 1);
      counted += 1;
    }
    if (counted < COUNTED_PER_TURN) continue;
    counted = 0;
    await nextTurn();
  }
  return counts;
}

type Sum = Fold['adds'][number];

class Sums {
  private readonly byTable = new Map<Table, Map<string, number>>();
  size = 0;

  add(line: JournalLine, times: number, timeZone: string): void {
    const hour = hourBucket(line.at, timeZone);
    const day = hour.slice(0, DAY);
    for (const { quota, units: each } of line.charges) {
      const units = each * times;
      const what = `${quota}|${line.action}`;
      this.put(`history:users:${day}`, `${hour}|${what}|${line.user}`, units);
      this.put(`history:days:${hour.slice(0, MONTH)}`, `${day}|${what}|${line.user}`, units);
      this.put(`history:groups:${day}`, `${hour}|${what}|o`, units);
      for (const group of line.groups) this.put(`history:groups:${day}`, `${hour}|${what}|g:${group}`, units);
    }
  }

  /** By table, in the order in which the entries name them: the same entries give the same list. */
  list(): readonly Sum[] {
    const sums: Sum[] = [];
    for (const [table, fields] of this.byTable)
      for (const [field, units] of fields) if (units !== 0) sums.push({ table, field, units });
    return sums;
  }

  private put(table: Table, field: string, units: number): void {
    let fields = this.byTable.get(table);
    if (fields === undefined) {
      fields = new Map();
      this.byTable.set(table, fields);
    }
    const sum = fields.get(field);
    if (sum === undefined) this.size += 1;
    fields.set(field, (sum ?? 0) + units);
  }
}
