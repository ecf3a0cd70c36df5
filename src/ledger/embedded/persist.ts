/**
 * Persists the embedded ledger in LevelDB: one key per field, one atomic batch at a time. A batch contains whole calls
 * and is synced to the disk, so the state after `kill -9` or a power cut is a consistent one from the last second.
 * LevelDB writes in a thread of its own; the event loop only fills the batch, a slice per turn. LevelDB's lock belongs
 * to the kernel: a second process is refused, and the lock ends with its process.
 */
import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import type { Table } from '../port.js';
import { Changes } from './changes.js';
import { isHistory } from './history.js';
import type { HistoryDisk } from './history-on-disk.js';
import { type ChangeListener, OrgState, type PersistedLog, type Value } from './org-state.js';

/** How long changes are collected before a batch. The rest of LATE_MS is left for the disk. */
const FLUSH_MS = 250;
/** The maximum age of a change that is not synced; beyond it, calls wait for the disk. */
const LATE_MS = 1_000;
/** Changes added to a batch in one turn of the event loop: about 0.2 ms. */
const SLICE = 128;
/** A turn adds as many changes as the last one made, so that the writer keeps up, but not more than this. */
const SLICE_MAX = 512;

/** Follows the names of all tables of history, which stay on disk. */
const AFTER_HISTORY = 'history;';
const LOGS: readonly string[] = ['journal', 'audit', 'outbox', 'events'] satisfies PersistedLog[];

export interface Disk extends HistoryDisk {
  readonly onChange: ChangeListener;
  /** The error of the last failed write. The write is retried; until it succeeds, the ledger answers nothing. */
  readonly failure: Error | undefined;
  /** A change is older than a second and not synced. */
  readonly late: boolean;
  load(): Promise<Map<string, OrgState>>;
  /** Resolves when no change is late, or a write failed. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export async function openDisk(path: string): Promise<Disk> {
  await mkdir(path, { recursive: true });
  const level = new ClassicLevel<string, string>(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  try {
    await level.open();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const locked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
    const why = locked ? 'another process has it open' : 'it cannot be opened';
    throw new Error(`The embedded store at ${path}: ${why}`, { cause: error });
  }
  return new LevelDisk(level);
}

/** Retries, because a full disk may be freed again. */
const AGAIN_MS = 1_000;

export class LevelDisk implements Disk {
  failure: Error | undefined;
  private changes = new Changes();
  /** Those of the batch that is being written. */
  private inBatch: Changes | undefined;
  /** When the oldest change of `changes` was made, and that of the batch that is being written. */
  private oldestAt = Number.POSITIVE_INFINITY;
  private writingFrom = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly level: ClassicLevel<string, string>,
    private readonly againMs = AGAIN_MS,
  ) {}

  readonly onChange: ChangeListener = (prefix, field, value) => {
    if (this.changes.size === 0) {
      this.oldestAt = performance.now();
      this.schedule(FLUSH_MS);
    }
    this.changes.add(prefix, field, value);
  };

  get late(): boolean {
    return performance.now() - Math.min(this.writingFrom, this.oldestAt) > LATE_MS;
  }

  async load(): Promise<Map<string, OrgState>> {
    const orgStates = new Map<string, OrgState>();
    const found: [org: string, place: string, field: string, value: string][] = [];
    const iterator = this.level.iterator();
    for (let entry = await iterator.next(); entry !== undefined; entry = await iterator.next()) {
      const [key, value] = entry;
      const [org = '', place = ''] = key.split('/', 2);
      if (isHistory(place as Table)) iterator.seek(`${org}/${AFTER_HISTORY}`);
      else found.push([org, place, key.slice(org.length + place.length + 2), value]);
    }
    await iterator.close();
    for (const [org, place, field, value] of found) {
      const orgState = orgStates.get(org) ?? new OrgState(org, this.onChange);
      orgStates.set(org, orgState);
      if (LOGS.includes(place)) orgState.restoreEntry(place as PersistedLog, { id: field, text: value });
      else orgState.table(place as Table).map.set(field, value);
    }
    for (const orgState of orgStates.values()) orgState.restoreOrder();
    return orgStates;
  }

  values(keys: readonly string[]): Promise<(string | undefined)[]> {
    return this.level.getMany([...keys]);
  }

  range(after: string, end: string, count: number): Promise<[key: string, value: string][]> {
    return this.level.iterator({ gt: after, lt: end, limit: count }).all();
  }

  pending(prefix: string): ReadonlyMap<string, Value | undefined> {
    return new Map([...(this.inBatch?.under(prefix) ?? []), ...(this.changes.under(prefix) ?? [])]);
  }

  async caughtUp(): Promise<void> {
    while (this.failure === undefined && this.late) await this.flush();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.writing;
    do await this.flush();
    while (this.changes.size > 0 && this.failure === undefined);
    await this.level.close();
    if (this.failure !== undefined) throw this.failure;
  }

  private schedule(waitMs: number): void {
    if (this.timer !== undefined || this.writing !== undefined || this.closed) return;
    this.timer = setTimeout(() => this.flush(), waitMs);
  }

  /** Writes what has changed so far, unless a write is under way; resolves when it is synced, or failed. */
  private flush(): Promise<void> {
    if (this.writing !== undefined) return this.writing;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { changes } = this;
    if (changes.size === 0) return Promise.resolve();
    this.changes = new Changes();
    this.inBatch = changes;
    this.writingFrom = this.oldestAt;
    this.oldestAt = Number.POSITIVE_INFINITY;
    this.writing = this.write(changes)
      .then(
        () => {
          this.failure = undefined;
        },
        (error: Error) => this.keep(changes, error),
      )
      .then(() => {
        this.writing = undefined;
        this.inBatch = undefined;
        this.writingFrom = Number.POSITIVE_INFINITY;
        if (this.failure !== undefined) this.schedule(this.againMs);
        else if (this.changes.size > 0) this.schedule(this.oldestAt + FLUSH_MS - performance.now());
      });
    return this.writing;
  }

  /**
   * Changes that could not be written go into the next batch together with later changes, so that no call is written
   * in part.
   */
  private keep(changes: Changes, error: Error): void {
    this.failure = error;
    changes.addAll(this.changes);
    this.changes = changes;
    this.oldestAt = this.writingFrom;
  }

  /** After a failed write, the end of LevelDB's log may be torn: the database is opened again. */
  private async reopen(): Promise<void> {
    await this.level.close();
    await this.level.open();
  }

  /**
   * Every batch is synced: when LevelDB starts a new log file, it does not sync the old one, so a batch that was written
   * without could be missing between two that are there.
   */
  private async write(changes: Changes): Promise<void> {
    if (this.failure !== undefined) await this.reopen();
    const batch = this.level.batch();
    let left = SLICE;
    for (const [key, value] of changes.entries()) {
      if (left === 0) {
        const known = this.changes.size;
        await nextTurn();
        left = Math.min(SLICE + this.changes.size - known, SLICE_MAX);
      }
      left -= 1;
      if (value === undefined) batch.del(key);
      else batch.put(key, String(value));
    }
    await batch.write({ sync: true });
  }
}
