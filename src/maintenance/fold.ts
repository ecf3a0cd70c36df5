/**
 * Moves the journal into history. Buckets are the hour or day of admission in the org's time zone:
 * - `history:users:<day>`, field `<hour>|<quota>|<action>|<user>`: users by the hour, kept 35 days
 * - `history:days:<month>`, field `<day>|<quota>|<action>|<user>`: users by the day, kept 13 months
 * - `history:groups:<day>`, field `<hour>|<quota>|<action>|<g:group or o>`: groups and org by the hour, kept 13 months
 */
import { decodeJournal, type JournalLine } from '../ledger/codec.js';
import type { Fold, LogEntry, OrgStore, Table } from '../ledger/port.js';
import { hourBucket } from '../quota/cycle.js';

/** Entries folded at once: limits the run time of the script. */
const ENTRIES_MAX = 100;
const MINUTE_MS = 60_000;
const DAY = 'YYYY-MM-DD'.length;
const MONTH = 'YYYY-MM'.length;

/** Folds the journal; returns how many entries it moved. */
export async function foldJournal(ledger: OrgStore, org: string): Promise<number> {
  let moved = 0;
  for (;;) {
    const count = await foldSome(ledger, org);
    moved += count;
    if (count < ENTRIES_MAX) return moved;
  }
}

async function foldSome(ledger: OrgStore, org: string): Promise<number> {
  const { values } = await ledger.read(org, [{ table: 'org', fields: ['fold', 'rule'] }]);
  const [from = null, rule = null] = values[0] ?? [];
  const entries = await ledger.log(org, 'journal', from ?? '', ENTRIES_MAX);
  const last = entries.at(-1);
  if (rule === null || last === undefined) return 0;
  const { timeZone } = JSON.parse(rule) as { timeZone: string };
  const sums = new Sums();
  for (const [text, times] of countLines(entries)) {
    for (const line of decodeJournal(text)) sums.add(line, times, timeZone);
  }
  const done = await ledger.fold(org, { from: from ?? '', to: last.id, adds: sums.list() });
  // Another process folded meanwhile: the rest is folded in the next round.
  return done ? entries.length : 0;
}

/**
 * Returns the distinct lines and their counts. Times are cut to the minute of admission, because no bucket is finer. At
 * full load there are few distinct lines, and parsing a line takes most of the time here.
 */
function countLines(entries: readonly LogEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of entries) {
    for (const line of text.split('\n')) {
      const end = line.indexOf('|');
      const at = Number(line.slice(0, end));
      const coarse = `${at - (at % MINUTE_MS)}${line.slice(end)}`;
      counts.set(coarse, (counts.get(coarse) ?? 0) + 1);
    }
  }
  return counts;
}

class Sums {
  private readonly byField = new Map<string, { table: Table; field: string; units: number }>();

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

  list(): Fold['adds'] {
    return [...this.byField.values()].filter((sum) => sum.units !== 0);
  }

  private put(table: Table, field: string, units: number): void {
    const key = `${table}|${field}`;
    const sum = this.byField.get(key);
    if (sum === undefined) this.byField.set(key, { table, field, units });
    else sum.units += units;
  }
}
