/**
 * Moves the journal into history: for each subject that the entries name, its packed text is read, extended and written. Many entries
 * become few texts. They are written in parts, so that no call of the store is long. The org notes how far a fold got, and takes the next
 * part only from who has seen that: another process that continues the fold computes the same list and goes on behind it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Addition, Additions } from '../history/additions.js';
import { GroupNumbering, groupsOf, numbersWant } from '../history/group-numbers.js';
import { addAll, type EntryId, emptyPacked, entryIdOf, isAfter, pack, unpack } from '../history/packed.js';
import { appendedAt, decodeJournal } from '../ledger/codec.js';
import type { Fold, LogEntry, OrgStore, PendingWork, Table, Want } from '../ledger/port.js';

/** One page of entries keeps the store below 2 ms. */
const PAGE_ENTRIES = 50;
/** A fold ends at the first page with so many entries or texts: both stay in memory, and the last part deletes the entries. */
const ENTRIES_MAX = 500;
const TEXTS_MAX = 10_000;
/** Texts of one part, and their characters: limit the run time of the script. */
export const PART_TEXTS_MAX = 100;
const PART_LENGTH_MAX = 200_000;
/** Texts extended in one turn of the event loop. */
const MERGED_PER_TURN = 16;
/** Lines counted, and distinct lines parsed, in one turn of the event loop: less than half a millisecond. */
const COUNTED_PER_TURN = 512;
const PARSED_PER_TURN = 128;
const MINUTE_MS = 60_000;

type FoldStore = Pick<OrgStore, 'pendingWork' | 'log' | 'fold' | 'read'>;

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

/** What the org notes of an incomplete fold: a change of the time zone meanwhile must not change its list. */
interface Progress {
  readonly to: string;
  /** Texts that were written. */
  readonly written: number;
  readonly timeZone: string;
}

/** Earlier versions wrote another list, to other tables: their fold is begun again. */
const LIST = 'packed';

function progressIn(text: string): Progress {
  const [to = '', written = '0', timeZone = '', list = ''] = text.split('|');
  return { to, written: list === LIST ? Number(written) : 0, timeZone };
}

interface Folding {
  readonly work: PendingWork;
  readonly until: number;
}

/** The rest is folded in the next round. */
const ENDED_BY_ANOTHER = { count: 0, isLast: true };

async function foldSome(ledger: FoldStore, org: string, { work, until }: Folding) {
  const resumed = work.folding === '' ? undefined : progressIn(work.folding);
  const { timeZone } = resumed ?? (JSON.parse(work.rule) as { timeZone: string });
  const entries = await entriesOf(ledger, org, {
    after: work.fold,
    to: resumed?.to,
    until,
    timeZone,
  });
  if (entries === undefined) {
    const now = await ledger.pendingWork(org);
    if (now?.fold === work.fold && now.folding === work.folding)
      throw new Error(`The journal of ${org} lacks entry ${resumed?.to}, up to which it is being folded`);
    return ENDED_BY_ANOTHER;
  }
  const progress = { to: entries.last, written: resumed?.written ?? 0, timeZone };
  const isDone = await writeTexts(ledger, org, { work, progress, additions: [...entries.additions.list()] });
  return isDone ? { count: entries.count, isLast: entries.isLast } : ENDED_BY_ANOTHER;
}

interface Range {
  readonly after: string;
  /** Undefined: as many as one fold takes. */
  readonly to: string | undefined;
  /** Without `to`: the latest time of an entry. */
  readonly until: number;
  readonly timeZone: string;
}

/** Undefined: the entry `to` is not there. A process that ends the fold deletes it. */
async function entriesOf(ledger: FoldStore, org: string, { after, to, until, timeZone }: Range) {
  const additions = new Additions();
  let last = after;
  let count = 0;
  for (;;) {
    const all = await ledger.log(org, 'journal', last, PAGE_ENTRIES);
    const page = to === undefined ? all.filter(({ id }) => appendedAt(id) <= until) : all;
    const end = page.findIndex(({ id }) => id === to);
    const entries = end < 0 ? page : page.slice(0, end + 1);
    let parsed = 0;
    for (const [text, times] of await countLines(entries)) {
      for (const line of decodeJournal(text)) additions.add(line, times, timeZone);
      parsed += 1;
      if (parsed % PARSED_PER_TURN === 0) await nextTurn();
    }
    last = entries.at(-1)?.id ?? last;
    count += entries.length;
    if (page.length < PAGE_ENTRIES && end < 0)
      return to === undefined ? { additions, last, count, isLast: true } : undefined;
    const isFull = to === undefined && (count >= ENTRIES_MAX || additions.size >= TEXTS_MAX);
    if (isFull || end >= 0) return { additions, last, count, isLast: false };
  }
}

interface Writing {
  readonly work: PendingWork;
  readonly progress: Progress;
  readonly additions: readonly Addition[];
}

/** Returns whether this process ended the fold. */
async function writeTexts(ledger: FoldStore, org: string, writing: Writing): Promise<boolean> {
  const { work, progress, additions } = writing;
  const { to, timeZone } = progress;
  let before = work.folding;
  let { written } = progress;
  for (;;) {
    const { texts, numbers } = await extended(ledger, org, {
      additions: additions.slice(written, written + PART_TEXTS_MAX),
      to: entryIdOf(to),
    });
    written += texts.length;
    const isLast = written >= additions.length;
    const after = isLast ? '' : [to, written, timeZone, LIST].join('|');
    if (!(await ledger.fold(org, { from: work.fold, to, before, after, puts: [...numbers, ...texts] })))
      return false;
    if (isLast) return true;
    before = after;
  }
}

interface Extending {
  readonly additions: readonly Addition[];
  /** The last entry of the fold. */
  readonly to: EntryId;
}

/** One for each run of additions to the same table. */
function wantsOf(additions: readonly Addition[]): Want[] {
  const wants: { readonly table: Table; readonly fields: string[] }[] = [];
  for (const { table, field } of additions) {
    const last = wants.at(-1);
    if (last?.table === table) last.fields.push(field);
    else wants.push({ table, fields: [field] });
  }
  return wants;
}

interface Extended {
  readonly texts: Fold['puts'];
  /** Of groups that had none. */
  readonly numbers: Fold['puts'];
}

/** The present texts of the first of these, with what is added; as many as fit a part. */
async function extended(ledger: FoldStore, org: string, { additions, to }: Extending): Promise<Extended> {
  const groups = groupsOf(additions.map(({ packed }) => packed));
  const { values } = await ledger.read(org, [numbersWant(groups), ...wantsOf(additions)]);
  const [numbers = [], ...present] = values;
  const numbering = new GroupNumbering(groups, numbers);
  const before = present.flat();
  const texts: Fold['puts'][number][] = [];
  let length = 0;
  for (const [index, { table, field, packed }] of additions.entries()) {
    if (index % MERGED_PER_TURN === MERGED_PER_TURN - 1) await nextTurn();
    const text = before[index];
    const whole = text === null || text === undefined ? emptyPacked() : unpack(text);
    if (isAfter(to, whole.last)) {
      addAll(whole, numbering.numbered(packed));
      whole.last = to;
    }
    const value = pack(whole);
    length += value.length;
    if (texts.length > 0 && (length > PART_LENGTH_MAX || numbering.size > PART_TEXTS_MAX)) break;
    texts.push({ table, field, value });
  }
  return { texts, numbers: numbering.puts() };
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
