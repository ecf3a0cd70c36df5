/** Reads of the API: kept by key, shared by the components that show them, and refreshed when the data changes. */
import { type Signal, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { BACKGROUND, dataOf } from './client.js';
import { type ApiProblem, problemIn } from './problem.js';

/** The kinds of data of which the API tells that they have changed. */
export type Kind = 'directory' | 'consumption' | 'events' | 'audit';

interface ReadOptions {
  readonly headers?: Record<string, string>;
  readonly signal: AbortSignal;
}

export interface QueryOptions<Data> {
  /** Names the data with all parameters; undefined: nothing is read yet. */
  readonly key: string | undefined;
  /** What the data depends on. */
  readonly kinds: readonly Kind[];
  /** Of data about which the API tells no changes: how often it is read again while the page is visible. */
  readonly everyMs?: number;
  /** Pass the options on to `api.GET`. */
  readonly read: (options: ReadOptions) => Promise<{ data?: Data; error?: unknown; response: Response }>;
}

export interface QueryState<Data> {
  /** The last data, also while other data is loading or after a failure. */
  readonly data: Data | undefined;
  /** The data is that of the key, not of the one before. */
  readonly current: boolean;
  readonly problem: ApiProblem | undefined;
  readonly loading: boolean;
  readonly refresh: () => void;
}

interface Result {
  readonly data: unknown;
  readonly problem: ApiProblem | undefined;
  readonly loading: boolean;
}

interface Entry {
  readonly result: Signal<Result>;
  options: QueryOptions<unknown>;
  readers: number;
  running: AbortController | undefined;
  /** The last read, which ends also when it fails or another takes its place. */
  reading: Promise<void>;
  /** Data from before this time is out of date. */
  wantedFrom: number;
  again: ReturnType<typeof setTimeout> | undefined;
}

const entries = new Map<string, Entry>();
/** Data that nothing shows is kept for a quick way back, but not all of it. */
const UNREAD_MAX = 40;
/** Lists come from a snapshot at most this old. */
const SNAPSHOT_MS = 2_000;

const NOTHING: Result = { data: undefined, problem: undefined, loading: true };

export function useQuery<Data>(options: QueryOptions<Data>): QueryState<Data> {
  const { key } = options;
  const entry = key === undefined ? undefined : entryOf(key, options as QueryOptions<unknown>);
  const last = useRef<unknown>(undefined);
  useEffect(() => {
    if (entry === undefined) return undefined;
    entry.readers += 1;
    void load(entry, { background: false });
    return () => release(entry);
  }, [entry]);
  const { data, problem, loading } = entry?.result.value ?? NOTHING;
  if (data !== undefined) last.current = data;
  return {
    data: (data ?? last.current) as Data | undefined,
    current: data !== undefined,
    problem,
    loading,
    refresh: () => entry !== undefined && void load(entry, { background: false }),
  };
}

function entryOf(key: string, options: QueryOptions<unknown>): Entry {
  const found = entries.get(key);
  if (found !== undefined) {
    found.options = options;
    // The last used ones are kept longest.
    entries.delete(key);
    entries.set(key, found);
    return found;
  }
  const entry: Entry = {
    result: signal(NOTHING),
    options,
    readers: 0,
    running: undefined,
    reading: Promise.resolve(),
    wantedFrom: 0,
    again: undefined,
  };
  entries.set(key, entry);
  return entry;
}

function release(entry: Entry): void {
  entry.readers -= 1;
  if (entry.readers > 0) return;
  clearTimeout(entry.again);
  const unread = [...entries].filter(([, { readers }]) => readers === 0);
  for (const [key] of unread.slice(0, Math.max(0, unread.length - UNREAD_MAX))) entries.delete(key);
}

interface LoadOptions {
  readonly background: boolean;
}

function load(entry: Entry, options: LoadOptions): Promise<void> {
  entry.reading = read(entry, options);
  return entry.reading;
}

async function read(entry: Entry, { background }: LoadOptions): Promise<void> {
  entry.running?.abort();
  clearTimeout(entry.again);
  const running = new AbortController();
  entry.running = running;
  if (!background) {
    entry.wantedFrom = Date.now();
    entry.result.value = { ...entry.result.peek(), loading: true };
  }
  const { signal: aborted } = running;
  try {
    const headers = background ? { headers: BACKGROUND } : {};
    const data = await dataOf(entry.options.read({ ...headers, signal: aborted }));
    if (aborted.aborted) return;
    entry.result.value = { data, problem: undefined, loading: false };
    readAgainIfOld(entry, data);
    readAgainLater(entry);
  } catch (error) {
    if (aborted.aborted) return;
    entry.result.value = { data: entry.result.peek().data, problem: problemIn(error), loading: false };
    readAgainLater(entry);
  }
}

function readAgainLater(entry: Entry): void {
  const { everyMs } = entry.options;
  if (everyMs === undefined || entry.readers === 0) return;
  clearTimeout(entry.again);
  entry.again = setTimeout(() => {
    if (document.hidden) readAgainLater(entry);
    else void load(entry, { background: true });
  }, everyMs);
}

/** A list from a snapshot that was made before it was asked for, or before the change, is read once more. */
function readAgainIfOld(entry: Entry, data: unknown): void {
  const { snapshotAgeMs = 0 } = (data ?? {}) as { readonly snapshotAgeMs?: number };
  if (Date.now() - snapshotAgeMs >= entry.wantedFrom) return;
  entry.again = setTimeout(
    () => void load(entry, { background: true }),
    Math.max(0, SNAPSHOT_MS - snapshotAgeMs) + 50,
  );
}

/** Who waits for a refresh has saved already: an answer that takes longer comes when it comes. */
const REFRESH_WAIT_MS = 1_000;

/**
 * Reads again what is shown and depends on one of the kinds. A dialog that has saved closes after this: the page behind it then shows
 * what was saved, and the next dialog begins with it.
 */
export async function refresh(...kinds: readonly Kind[]): Promise<void> {
  const now = Date.now();
  const reads: Promise<void>[] = [];
  for (const entry of entries.values()) {
    if (!entry.options.kinds.some((kind) => kinds.includes(kind))) continue;
    entry.wantedFrom = now;
    if (entry.readers > 0) reads.push(load(entry, { background: true }).then(() => lastRead(entry)));
  }
  await Promise.race([Promise.all(reads), new Promise((resolve) => setTimeout(resolve, REFRESH_WAIT_MS))]);
}

/** Another read may have taken the place of the one that was waited for. */
async function lastRead(entry: Entry): Promise<void> {
  for (let read: Promise<void> | undefined; read !== entry.reading; ) {
    read = entry.reading;
    await read;
  }
}

/** Forgets everything, when another person logs in. */
export function forgetAll(): void {
  for (const entry of entries.values()) entry.running?.abort();
  entries.clear();
}
