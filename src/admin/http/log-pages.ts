/** Pages and CSV of an append-only log, filtered by content and time. */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Temporal } from 'temporal-polyfill';
import Type from 'typebox';
import type { KeptLog, LogEntry, OrgStore } from '../../ledger/port.js';
import { CSV_HEADERS, type CsvCell, csvLine } from './csv.js';
import type { MembersOf } from './endpoint.js';
import { invalid } from './problems.js';
import { PAGE_SIZE_MAX } from './validate.js';

/** From an instant (inclusive) to another (exclusive). */
export const Times = {
  from: Type.Optional(Type.String({ maxLength: 40, description: 'An instant: only entries from then on' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'An instant: only entries before it' })),
};

export const LogPaging = {
  /** The id of an entry. */
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}-[0-9]{1,15}$' })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX })),
  order: Type.Optional(Type.Enum(['newest', 'oldest'])),
};
type LogPaging = MembersOf<typeof LogPaging>;

export interface LogReading<Entry> {
  readonly ledger: Pick<OrgStore, 'log' | 'logBack'>;
  readonly org: string;
  readonly log: KeptLog;
  readonly decode: (entry: LogEntry) => Entry;
  /** In ms. */
  readonly timeOf: (entry: Entry) => number;
  readonly accept: (entry: Entry) => boolean;
  readonly since: number;
  readonly until: number;
}

export function timesIn({ from, to }: MembersOf<typeof Times>) {
  return {
    since: from === undefined ? 0 : msIn('from', from),
    until: to === undefined ? Number.POSITIVE_INFINITY : msIn('to', to),
  };
}

function msIn(field: string, text: string): number {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    throw invalid(field, 'must be an instant such as 2026-05-22T10:00:00Z');
  }
}

const PAGE_SIZE = 100;
const READ_AT_ONCE = 500;
/** Entries that one request looks at: a filter that few match ends early, with a cursor to go on from. */
const LOOKED_AT_MAX = 20_000;

export async function logPage<Entry, Shown = Entry>(
  reading: LogReading<Entry>,
  query: LogPaging,
  complete?: Complete<Entry, Shown>,
) {
  const { items, cursor } = await entriesOf(reading, query);
  return { items: await completed(items, complete), cursor };
}

/** Adds to entries what other data tells about them. */
export type Complete<Entry, Shown> = (entries: readonly Entry[]) => Promise<readonly Shown[]>;

async function completed<Entry, Shown>(
  entries: readonly Entry[],
  complete: Complete<Entry, Shown> | undefined,
): Promise<readonly Shown[]> {
  // Without it, entries are shown as they are.
  return complete === undefined ? (entries as readonly unknown[] as readonly Shown[]) : complete(entries);
}

async function entriesOf<Entry>(reading: LogReading<Entry>, query: LogPaging) {
  const { pageSize = PAGE_SIZE, order = 'newest' } = query;
  const items: Entry[] = [];
  let last = query.cursor ?? null;
  let looked = 0;
  for await (const { id, entry } of matching(reading, query)) {
    looked += 1;
    if (items.length === pageSize && entry !== undefined) return { items, cursor: last };
    last = id;
    if (entry !== undefined) items.push(entry);
    if (looked === LOOKED_AT_MAX) return { items, cursor: last };
  }
  // Of the oldest first, more may always follow: the last id is always a valid cursor.
  return { items, cursor: order === 'oldest' ? last : null };
}

interface Looked<Entry> {
  readonly id: string;
  /** Undefined: the filter leaves it out. */
  readonly entry: Entry | undefined;
}

async function* matching<Entry>(
  { ledger, org, log, decode, timeOf, accept, since, until }: LogReading<Entry>,
  { cursor = '', order = 'newest' }: LogPaging,
): AsyncGenerator<Looked<Entry>> {
  const isOldest = order === 'oldest';
  let at = cursor;
  for (;;) {
    const page = isOldest
      ? await ledger.log(org, log, at, READ_AT_ONCE)
      : await ledger.logBack(org, log, at, READ_AT_ONCE);
    for (const one of page) {
      const entry = decode(one);
      const time = timeOf(entry);
      if (isOldest ? time >= until : time < since) return;
      const isWanted = time >= since && time < until && accept(entry);
      yield { id: one.id, entry: isWanted ? entry : undefined };
    }
    at = page.at(-1)?.id ?? at;
    if (page.length < READ_AT_ONCE) return;
    await nextTurn();
  }
}

const LINES_AT_ONCE = 500;

/** Newest first; read from the log as the client takes it. */
export function logCsv<Entry, Shown = Entry>(
  reading: LogReading<Entry>,
  columns: readonly (readonly [name: string, cell: (entry: Shown) => CsvCell])[],
  complete?: Complete<Entry, Shown>,
) {
  async function* lines(): AsyncGenerator<string> {
    yield csvLine(columns.map(([name]) => name));
    for await (const entries of inParts(reading))
      for (const entry of await completed(entries, complete))
        yield csvLine(columns.map(([, cell]) => cell(entry)));
  }
  // The schema of the answer is its text; a stream of it is the same to the client.
  return { status: 200, body: Readable.from(lines()) as unknown as string, headers: CSV_HEADERS } as const;
}

async function* inParts<Entry>(reading: LogReading<Entry>): AsyncGenerator<readonly Entry[]> {
  let part: Entry[] = [];
  for await (const { entry } of matching(reading, {})) {
    if (entry !== undefined) part.push(entry);
    if (part.length < LINES_AT_ONCE) continue;
    yield part;
    part = [];
  }
  yield part;
}
