/** Compares the counters of an org's present cycle with its history and journal. */
import type { OrgStore } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import { type CycleRule, dayOf } from '../quota/cycle.js';
import { lineOf } from '../quota/id.js';
import { type Dimension, queryHistory } from './query.js';

export interface Difference {
  /** The counter: `<quota>:u:<user>`, `<quota>:g:<group>` or `<quota>:o`. */
  readonly line: string;
  readonly consumed: number;
  readonly recorded: number;
}

export interface Verified {
  readonly org: string;
  /** Counters that were compared. */
  readonly lines: number;
  readonly differences: readonly Difference[];
}

/** Requests that are charged meanwhile make differences: those of one reading that the next does not confirm. */
const READINGS_MAX = 4;

export async function verifyOrg(store: OrgStore, org: string): Promise<Verified> {
  let before = new Set<string>();
  for (let reading = 1; ; reading += 1) {
    const verified = await compare(store, org);
    const confirmed = verified.differences.filter(({ line }) => reading === 1 || before.has(line));
    if (confirmed.length === 0 || reading === READINGS_MAX) return { ...verified, differences: confirmed };
    before = new Set(confirmed.map(({ line }) => line));
  }
}

async function compare(store: OrgStore, org: string): Promise<Verified> {
  const { now, values } = await store.read(org, [{ table: 'org', fields: ['rule', 'start'] }]);
  const [text = '', start = '0'] = (values[0] ?? []).map((value) => value ?? '');
  const rule = JSON.parse(text) as CycleRule;
  const counters = await scanAll(store, org, `consumed:${Number(start)}`);
  const recorded = await recordedSince(store, { org, rule, since: Number(start), now });
  const lines = [...counters.keys()].filter((line) => !line.startsWith('!'));
  const all = new Set([...lines, ...recorded.keys()]);
  const differences: Difference[] = [];
  for (const line of all) {
    const one = { line, consumed: Number(counters.get(line) ?? 0), recorded: recorded.get(line) ?? 0 };
    if (one.consumed !== one.recorded) differences.push(one);
  }
  return { org, lines: all.size, differences };
}

interface Recording {
  readonly org: string;
  readonly rule: CycleRule;
  readonly since: number;
  readonly now: number;
}

async function recordedSince(
  store: OrgStore,
  { org, rule, since, now }: Recording,
): Promise<Map<string, number>> {
  const days = { from: dayOf(since, rule.timeZone), to: dayOf(now, rule.timeZone) };
  const sums = (groupBy: readonly Dimension[]) =>
    queryHistory(store, { org, rule, ...days, since, by: 'total', groupBy, only: {} });
  const lines = new Map<string, number>();
  for (const { at, units } of await sums(['user'])) lines.set(lineOf(at.quota, 'user', at.user ?? ''), units);
  for (const { at, units } of await sums(['group']))
    lines.set(lineOf(at.quota, 'group', at.group ?? ''), units);
  for (const { at, units } of await sums([])) lines.set(lineOf(at.quota, 'org', ''), units);
  return lines;
}
