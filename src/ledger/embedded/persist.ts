/**
 * Persists the embedded ledger in LevelDB: one key per field, one atomic batch per flush. A batch contains whole calls,
 * so the state after `kill -9` is a consistent one from the last second. LevelDB's lock belongs to the kernel: a second
 * process is refused, and the lock ends with its process.
 */
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import type { Log, Table } from '../port.js';
import { type ChangeListener, OrgState, type Value } from './org-state.js';

/** The maximum delay before a change is written to LevelDB. */
const FLUSH_MS = 100;

const LOGS: readonly string[] = ['journal', 'audit', 'outbox'] satisfies Log[];

export interface Disk {
  readonly onChange: ChangeListener;
  /** The error of the last failed write. The write is retried; until it succeeds, the ledger answers nothing. */
  readonly failure: Error | undefined;
  load(): Promise<Map<string, OrgState>>;
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
  private changed = new Map<string, Value | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  private closed = false;

  constructor(
    private readonly level: ClassicLevel<string, string>,
    private readonly againMs = AGAIN_MS,
  ) {}

  readonly onChange: ChangeListener = (org, place, field, value) => {
    this.changed.set(`${org}/${place}/${field}`, value);
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  };

  async load(): Promise<Map<string, OrgState>> {
    const orgStates = new Map<string, OrgState>();
    const found: [org: string, place: string, field: string, value: string][] = [];
    for await (const [key, value] of this.level.iterator()) {
      const [org = '', place = ''] = key.split('/', 2);
      found.push([org, place, key.slice(org.length + place.length + 2), value]);
    }
    for (const [org, place, field, value] of found) {
      const orgState = orgStates.get(org) ?? new OrgState(org, this.onChange);
      orgStates.set(org, orgState);
      if (LOGS.includes(place)) orgState.restoreEntry(place as Log, { id: field, text: value });
      else orgState.table(place as Table).map.set(field, value);
    }
    for (const orgState of orgStates.values()) orgState.restoreOrder();
    return orgStates;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.flush();
    await this.writing;
    await this.level.close();
    if (this.failure !== undefined) throw this.failure;
  }

  private flush(): void {
    this.timer = undefined;
    if (this.changed.size === 0) return;
    const changed = this.changed;
    this.changed = new Map();
    this.writing = this.writing
      .then(() => this.write(changed))
      .then(
        () => {
          this.failure = undefined;
        },
        (error: Error) => this.keep(changed, error),
      );
  }

  /**
   * Changes that could not be written go into the next batch first, together with later changes, so that no call is
   * written in part.
   */
  private keep(changed: ReadonlyMap<string, Value | undefined>, error: Error): void {
    this.failure = error;
    this.changed = new Map([...changed, ...this.changed]);
    clearTimeout(this.timer);
    this.timer = this.closed ? undefined : setTimeout(() => this.flush(), this.againMs);
  }

  /** After a failed write, the end of LevelDB's log may be torn: the database is opened again. */
  private async reopen(): Promise<void> {
    await this.level.close();
    await this.level.open();
  }

  private async write(changed: ReadonlyMap<string, Value | undefined>): Promise<void> {
    if (this.failure !== undefined) await this.reopen();
    const batch = this.level.batch();
    for (const [key, value] of changed) {
      if (value === undefined) batch.del(key);
      else batch.put(key, String(value));
    }
    await batch.write();
  }
}
