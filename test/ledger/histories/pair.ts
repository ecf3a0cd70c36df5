/** Both ledgers side by side: whatever is asked of one is asked of the other, and the answers must be the same. */
import { inspect, isDeepStrictEqual } from 'node:util';
import { decodeJournal } from '../../../src/ledger/codec.js';
import { decodeExport, encodeExport } from '../../../src/ledger/journal-export.js';
import type {
  Call,
  Commit,
  Ledger,
  Log,
  Reply,
  Snapshot,
  StagedChange,
  StageOutcome,
  Table,
} from '../../../src/ledger/port.js';
import { lineOf } from '../../../src/quota/id.js';
import { type ClockedLedger, dumpOf } from '../../support/ledgers.js';

/** The ledgers answered differently, or an answer broke an invariant. */
export class Broken extends Error {}

export const HISTORY: Table = 'history:lines';

export class Pair {
  constructor(
    readonly model: ClockedLedger,
    readonly redis: ClockedLedger,
    /** Length of every cycle: it separates the times of the journal. */
    private readonly cycleMs: number,
    private readonly onReply: (reply: Reply) => void,
  ) {}

  async setClock(ms: number): Promise<void> {
    await Promise.all([this.model.setClock(ms), this.redis.setClock(ms)]);
  }

  async apply(call: Call): Promise<Reply> {
    const [expected, actual] = await Promise.all([
      this.model.ledger.apply(call),
      this.redis.ledger.apply(call),
    ]);
    this.onReply(actual);
    const { common, ...answer } = actual;
    // How many lines were touched is a measure of cost, and each ledger's own. The common path leaves out the previous cycle.
    const bare = { ...expected, lines: 0, ...(common ? { previous: 0 } : {}) };
    same('replies', bare, { ...answer, lines: 0 }, call);
    return bare;
  }

  async commit(org: string, commit: Commit): Promise<Snapshot | undefined> {
    return this.both('commits', (ledger) => ledger.commit(org, commit), commit);
  }

  async beginStaging(org: string): Promise<string | undefined> {
    return this.both('stagings', (ledger) => ledger.beginStaging(org), org);
  }

  async stage(org: string, id: string, changes: readonly StagedChange[]): Promise<StageOutcome> {
    return this.both('pieces', (ledger) => ledger.stage(org, id, changes), changes);
  }

  async endStaging(org: string, id?: string): Promise<boolean> {
    return this.both('ends of stagings', (ledger) => ledger.endStaging(org, id), id);
  }

  private async both<Answer>(
    what: string,
    ask: (ledger: Ledger) => Promise<Answer>,
    asked: unknown,
  ): Promise<Answer> {
    const [expected, actual] = await Promise.all([ask(this.model.ledger), ask(this.redis.ledger)]);
    same(what, expected, actual, asked);
    return expected;
  }

  /** Folds the oldest entries of both journals into sums by cycle and line. */
  async fold(org: string, count: number): Promise<boolean> {
    const folded = await Promise.all(
      [this.model.ledger, this.redis.ledger].map(async (ledger) => {
        const { values } = await ledger.read(org, [{ table: 'org', fields: ['fold'] }]);
        const from = values[0]?.[0] ?? '';
        const entries = await ledger.log(org, 'journal', from, count);
        const to = entries.at(-1)?.id;
        if (to === undefined) return false;
        const sums = new Map<string, number>();
        for (const entry of entries) addLines(sums, entry.text, this.cycleMs);
        const fields = [...sums.keys()];
        const known = (await ledger.read(org, [{ table: HISTORY, fields }])).values[0] ?? [];
        const puts = [...sums].map(([field, units], index) => {
          return { table: HISTORY, field, value: String(Number(known[index] ?? 0) + units) };
        });
        if (!(await ledger.fold(org, { from, to, puts }))) throw new Broken('a fold was refused');
        if (await ledger.fold(org, { from, to, puts })) throw new Broken('a fold was done twice');
        return true;
      }),
    );
    same('folds', folded[0], folded[1], org);
    return folded[0] === true;
  }

  /** A target of the export takes entries; with a count of 0 it is removed. */
  async export(org: string, target: string, count: number): Promise<void> {
    const took = await Promise.all(
      [this.model.ledger, this.redis.ledger].map(async (ledger) => {
        const { values } = await ledger.read(org, [{ table: 'exports', fields: [target] }]);
        const was = values[0]?.[0] ?? null;
        const state = was === null ? { last: '', lost: 0, at: 0, error: '' } : decodeExport(was);
        const entries = count === 0 ? [] : await ledger.log(org, 'journal', state.last, count);
        const last = entries.at(-1)?.id ?? state.last;
        const next = count === 0 ? null : encodeExport({ ...state, last });
        if (was === null && next === null) return [0, 0];
        if (!(await ledger.stepExport(org, { target, was, next }))) throw new Broken('a step was refused');
        return [entries.length, state.lost];
      }),
    );
    same('exports', took[0], took[1], org);
  }

  /** Deletes the oldest entries of journals that are longer than this. */
  async trim(org: string, most: number): Promise<number> {
    const [expected, actual] = await Promise.all(
      [this.model.ledger, this.redis.ledger].map((ledger) => ledger.trimJournal(org, most)),
    );
    same('trims', expected, actual, org);
    return expected?.lost.length ?? 0;
  }

  async compareOrgs(org: string): Promise<void> {
    const [expected, actual] = await Promise.all([
      dumpOf(this.model.ledger, org, [HISTORY]),
      dumpOf(this.redis.ledger, org, [HISTORY]),
    ]);
    if (expected !== actual) throw new Broken(`the orgs differ:\n${difference(expected, actual)}`);
  }

  async texts(org: string, log: Log): Promise<string[]> {
    return (await this.model.ledger.log(org, log, '', 1_000_000)).map((entry) => entry.text);
  }
}

/** Adds the lines of a journal entry to sums by `<cycle's start>|<counter line>`. */
export function addLines(sums: Map<string, number>, entry: string, cycleMs: number): void {
  for (const { at, user, groups, charges } of decodeJournal(entry))
    for (const { quota, units } of charges) {
      const lines = [lineOf(quota, 'user', user), lineOf(quota, 'org', '')];
      for (const group of groups) lines.push(lineOf(quota, 'group', group));
      for (const line of lines) {
        const field = `${Math.floor(at / cycleMs) * cycleMs}|${line}`;
        sums.set(field, (sums.get(field) ?? 0) + units);
      }
    }
}

function same(what: string, expected: unknown, actual: unknown, asked: unknown): void {
  if (isDeepStrictEqual(expected, actual)) return;
  const text = (value: unknown): string => inspect(value, { depth: null, sorted: true, breakLength: 100 });
  throw new Broken(`${what} differ:\n${difference(text(expected), text(actual))}\nasked: ${text(asked)}`);
}

/** Lines that only one side has. */
function difference(expected: string, actual: string): string {
  const left = expected.split('\n');
  const right = actual.split('\n');
  const missing = left.filter((line) => !right.includes(line)).map((line) => `  embedded: ${line}`);
  const extra = right.filter((line) => !left.includes(line)).map((line) => `  redis:    ${line}`);
  return [...missing, ...extra].slice(0, 40).join('\n');
}
