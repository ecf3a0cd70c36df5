/** Reads the charges of an org twice: from its counters, and from its history plus the journal that is not folded yet. */
import { type Dimension, queryHistory } from '../../src/history/query.js';
import type { Ledger, LogEntry, Table } from '../../src/ledger/port.js';
import { type CycleRule, dayOf } from '../../src/quota/cycle.js';
import { lineOf } from '../../src/quota/id.js';

/** Units by counter, such as `usage:u:ana`. Counters at 0 are left out. */
export type Units = Readonly<Record<string, number>>;

export interface Figures {
  /** Over all cycles of the org. */
  readonly consumed: Units;
  readonly held: Units;
  /** History and the journal that is not folded yet. */
  readonly recorded: Units;
}

const PAGE = 500;
const DAY_MS = 86_400_000;

export async function figuresOf(ledger: Ledger, org: string): Promise<Figures> {
  const consumed = new Sums();
  const held = new Sums();
  for (const start of await cyclesOf(ledger, org)) {
    for (const [line, units] of Object.entries(await consumedIn(ledger, org, start)))
      consumed.add(line, units);
    for (const [line, units] of await fieldsOf(ledger, org, `held:${start}`)) held.add(line, Number(units));
  }
  return { consumed: consumed.units, held: held.units, recorded: await recordedOf(ledger, org) };
}

/** Starts of the org's cycles, the current one last. */
export async function cyclesOf(ledger: Ledger, org: string): Promise<number[]> {
  const closed = await fieldsOf(ledger, org, 'cycles');
  const { values } = await ledger.read(org, [{ table: 'org', fields: ['start'] }]);
  return [...closed.map(([start]) => Number(start)), Number(values[0]?.[0])];
}

export async function consumedIn(ledger: Ledger, org: string, start: number): Promise<Units> {
  const sums = new Sums();
  for (const [line, units] of await fieldsOf(ledger, org, `consumed:${start}`))
    if (!line.startsWith('!')) sums.add(line, Number(units));
  return sums.units;
}

export async function fieldsOf(ledger: Ledger, org: string, table: Table): Promise<[string, string][]> {
  const found = new Map<string, string>();
  let cursor = '0';
  do {
    const page = await ledger.scan(org, table, cursor, PAGE);
    for (const [field, value] of page.entries) found.set(field, value);
    cursor = page.cursor;
  } while (cursor !== '0');
  return [...found];
}

export async function journalOf(ledger: Ledger, org: string, after = ''): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const page = await ledger.log(org, 'journal', entries.at(-1)?.id ?? after, PAGE);
    entries.push(...page);
    if (page.length < PAGE) return entries;
  }
}

/** The history to the last request, by counter. */
async function recordedOf(ledger: Ledger, org: string): Promise<Units> {
  const sums = new Sums();
  const now = await ledger.clock();
  const { values } = await ledger.read(org, [{ table: 'org', fields: ['rule'] }]);
  const rule = JSON.parse(values[0]?.[0] ?? '') as CycleRule;
  const days = { from: dayOf(now - DAY_MS, rule.timeZone), to: dayOf(now + DAY_MS, rule.timeZone) };
  const sumsBy = (groupBy: readonly Dimension[]) =>
    queryHistory(ledger, { org, rule, ...days, by: 'total', groupBy, only: {} });
  for (const { at, units } of await sumsBy(['user']))
    sums.add(lineOf(at.quota, 'user', at.user ?? ''), units);
  for (const { at, units } of await sumsBy(['group']))
    sums.add(lineOf(at.quota, 'group', at.group ?? ''), units);
  for (const { at, units } of await sumsBy([])) sums.add(lineOf(at.quota, 'org', ''), units);
  return sums.units;
}

class Sums {
  private readonly byLine = new Map<string, number>();

  add(line: string, units: number): void {
    this.byLine.set(line, (this.byLine.get(line) ?? 0) + units);
  }

  get units(): Units {
    return Object.fromEntries([...this.byLine].filter(([, units]) => units !== 0).sort());
  }
}
