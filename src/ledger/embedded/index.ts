/**
 * The embedded ledger, in this process: the default, and the model that the Lua is tested against. Without a folder it
 * keeps data in memory only. With a folder, every change is persisted in the background (see persist.ts).
 *
 * Nothing here waits for a network, so a loop over many entries would never leave the event loop to requests: what such
 * loops call begins in a turn of its own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isName } from '../../quota/id.js';
import { feedText } from '../change-feed.js';
import { bounded, type ClockGuard } from '../clock-guard.js';
import { decodeExport, type ExportStep, type JournalTrim } from '../journal-export.js';
import type {
  Call,
  Commit,
  Fold,
  Job,
  KeptLog,
  Ledger,
  Log,
  LogEntry,
  NoticeStep,
  OrgEpoch,
  Page,
  PendingWork,
  Reply,
  Snapshot,
  StagedChange,
  StageOutcome,
  Table,
  Visit,
  Want,
} from '../port.js';
import { isStaged, LOST, NOTICES_DUE, StoreError } from '../port.js';
import { applyCall } from './apply.js';
import { accepts, makeChanges, readField } from './commit.js';
import { journalBytes, stepExport, trimExported, trimJournal } from './exported.js';
import { HistoryInMemory, type HistoryTables, isHistory } from './history.js';
import { HistoryOnDisk } from './history-on-disk.js';
import { stepNotices } from './notices.js';
import { OrgSchedule } from './org-schedule.js';
import { OrgState } from './org-state.js';
import type { Disk } from './persist.js';
import { beginStaging, endStaging, stage, stagingTime } from './staging.js';

export interface EmbeddedOptions {
  /** Time in ms; Date.now unless tests inject another. */
  readonly clock?: () => number;
  /** The folder to persist in. Absent: nothing is persisted. */
  readonly path?: string;
  /** Bounds the clock. Absent: every reading is accepted. */
  readonly clockGuard?: ClockGuard | undefined;
}

/** Fields that `drop` deletes in one turn of the event loop. */
const DROPPED_AT_ONCE = 512;

/** Rejects if another process has the folder open, or if it cannot be read. */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<Ledger> {
  const disk = options.path === undefined ? undefined : await diskAt(options.path);
  const orgStates = disk === undefined ? new Map<string, OrgState>() : await disk.load();
  return new MemoryLedger(orgStates, disk, options.clock ?? Date.now, options.clockGuard);
}

/** A process that keeps no data on disk does not load the database. */
async function diskAt(path: string): Promise<Disk> {
  const { openDisk } = await import('./persist.js');
  return openDisk(path);
}

class MemoryLedger implements Ledger {
  readonly name = 'embedded';
  private readonly orgSchedule: OrgSchedule;
  private readonly history: HistoryTables;

  constructor(
    private readonly orgStates: Map<string, OrgState>,
    private readonly disk: Disk | undefined,
    private readonly now: () => number,
    private readonly guard: ClockGuard | undefined,
  ) {
    this.orgSchedule = new OrgSchedule(orgStates.keys());
    this.history = disk === undefined ? new HistoryInMemory() : new HistoryOnDisk(disk);
  }

  get ready(): boolean {
    return this.disk?.failure === undefined;
  }

  /** The ledger is in this process, so there is nothing to connect. */
  get reconnecting(): boolean {
    return false;
  }

  onReady(): void {
    // The ledger is ready from its start.
  }

  /** Waits before a call, never after it: the answer to a call that ran is always known. */
  apply(call: Call): Promise<Reply> {
    return this.disk?.late ? this.disk.caughtUp().then(() => this.run(call)) : this.run(call);
  }

  async read(org: string, wants: readonly Want[]): Promise<Snapshot> {
    const snapshot = this.readNow(org, wants);
    if (!wants.some(({ table }) => isHistory(table))) return snapshot;
    const values: (readonly (string | null)[])[] = [...snapshot.values];
    // The tables of history are read after the others, each by itself.
    for (const [index, { table, fields }] of wants.entries())
      if (isHistory(table)) values[index] = await this.history.get(org, table, fields);
    return { ...snapshot, values };
  }

  private readNow(org: string, wants: readonly Want[]): Snapshot {
    const orgState = this.orgStates.get(org);
    const values = wants.map(({ table, fields }) => {
      return fields.map((field) => readField(orgState, table, field));
    });
    const seen = orgState?.org.number('now') ?? 0;
    return { now: Math.max(this.now(), seen), version: orgState?.org.number('version') ?? 0, values };
  }

  async epochOf(org: string): Promise<OrgEpoch> {
    const head = this.orgStates.get(org)?.org;
    const text = (field: string): string => head?.text(field) ?? '';
    return { version: head?.number('version') ?? 0, epoch: text('epoch'), accepted: text('lossAccepted') };
  }

  async markLost(org: string): Promise<void> {
    await this.commit(org, LOST);
  }

  async commit(org: string, commit: Commit): Promise<Snapshot | undefined> {
    if (this.disk?.late) await this.disk.caughtUp();
    this.refuseWhenFailed();
    const known = this.orgStates.get(org);
    if (!accepts(known, commit)) return undefined;
    const orgState = known ?? this.newOrg(org);
    makeChanges(orgState, commit);
    orgState.org.set('version', orgState.org.number('version') + 1);
    this.touch(org);
    const now = Math.max(this.now(), orgState.org.number('now'));
    if (commit.audit !== '') orgState.append('audit', commit.audit, now);
    const changed = feedText(commit.changes, commit.staging);
    if (changed !== '') orgState.noteChanged(changed, now);
    return this.read(org, commit.wants ?? []);
  }

  async beginStaging(org: string): Promise<string | undefined> {
    this.refuseWhenFailed();
    const orgState = this.orgStates.get(org) ?? this.newOrg(org);
    return beginStaging(orgState, this.timeOf(orgState));
  }

  async stage(org: string, id: string, changes: readonly StagedChange[]): Promise<StageOutcome> {
    await nextTurn();
    if (this.disk?.late) await this.disk.caughtUp();
    this.refuseWhenFailed();
    const orgState = this.orgStates.get(org);
    const now = orgState === undefined ? 0 : this.timeOf(orgState);
    return stage(orgState, { id, changes, now });
  }

  async endStaging(org: string, id = ''): Promise<boolean> {
    const orgState = this.orgStates.get(org);
    return orgState === undefined || endStaging(orgState, { id, now: this.timeOf(orgState) });
  }

  /** The cursor is the number of fields passed; a field added or removed during the scan may be missed or returned twice. */
  async scan(org: string, table: Table, cursor: string, count: number): Promise<Page> {
    await nextTurn();
    if (isHistory(table)) return this.history.scan(org, table, cursor, count);
    const fields = this.orgStates.get(org)?.tables.get(table);
    if (fields === undefined) return { cursor: '0', entries: [] };
    const from = Number(cursor);
    const entries: [string, string][] = [];
    let index = 0;
    for (const [field, value] of fields.map) {
      if (index >= from + count) break;
      if (index >= from && !isStaged(table, field)) entries.push([field, String(value)]);
      index += 1;
    }
    const done = from + count >= fields.map.size;
    return { cursor: done ? '0' : String(from + count), entries };
  }

  async log(org: string, log: Log, after: string, count: number): Promise<LogEntry[]> {
    await nextTurn();
    const orgState = this.orgStates.get(org);
    if (orgState === undefined) return [];
    const first = orgState.placeAfter(log, after);
    return orgState.logs[log].slice(first, first + count);
  }

  async logBack(org: string, log: Log, before: string, count: number): Promise<LogEntry[]> {
    const entries = this.orgStates.get(org)?.logs[log] ?? [];
    const next = before === '' ? -1 : entries.findIndex((entry) => entry.id >= before);
    const end = next < 0 ? entries.length : next;
    return entries.slice(Math.max(0, end - count), end).reverse();
  }

  async fold(org: string, fold: Fold): Promise<boolean> {
    await nextTurn();
    const orgState = this.orgStates.get(org);
    if (orgState?.org.text('epoch') === undefined || (orgState.org.text('fold') ?? '') !== fold.from)
      return false;
    if ((orgState.org.text('folding') ?? '') !== (fold.before ?? '')) return false;
    for (const { table, field, value } of fold.puts) this.history.put(org, table, field, value);
    if (fold.after !== undefined && fold.after !== '') {
      orgState.org.set('folding', fold.after);
      return true;
    }
    orgState.org.set('fold', fold.to);
    orgState.org.delete('folding');
    trimExported(orgState);
    return true;
  }

  async stepExport(org: string, step: ExportStep): Promise<boolean> {
    if (this.disk?.late) await this.disk.caughtUp();
    this.refuseWhenFailed();
    const orgState = this.orgStates.get(org);
    return orgState !== undefined && stepExport(orgState, step);
  }

  async trimJournal(org: string, most: number): Promise<JournalTrim> {
    await nextTurn();
    const orgState = this.orgStates.get(org);
    return orgState === undefined ? { trimmed: 0, lost: [] } : trimJournal(orgState, most);
  }

  async stepNotices(org: string, step: NoticeStep): Promise<boolean> {
    if (this.disk?.late) await this.disk.caughtUp();
    this.refuseWhenFailed();
    const orgState = this.orgStates.get(org);
    return orgState !== undefined && stepNotices(orgState, step, this.now());
  }

  async append(org: string, log: KeptLog, text: string): Promise<void> {
    if (this.disk?.late) await this.disk.caughtUp();
    this.refuseWhenFailed();
    const orgState = this.orgStates.get(org) ?? new OrgState(org, this.disk?.onChange);
    this.orgStates.set(org, orgState);
    orgState.append(log, text, Math.max(this.now(), orgState.org.number('now')));
  }

  async trim(org: string, log: KeptLog, before: number): Promise<void> {
    const orgState = this.orgStates.get(org);
    for (const _ of orgState?.trimBefore(log, before, DROPPED_AT_ONCE) ?? []) await nextTurn();
  }

  async pendingWork(org: string): Promise<PendingWork | undefined> {
    const orgState = this.orgStates.get(org);
    if (orgState?.org.text('epoch') === undefined) return undefined;
    const text = (field: string): string => orgState.org.text(field) ?? '';
    const fold = text('fold');
    const { journal } = orgState.logs;
    const firstAfter = (id: string): string => journal[orgState.placeAfter('journal', id)]?.id ?? '';
    return {
      now: Math.max(this.now(), orgState.org.number('now')),
      end: orgState.org.number('end'),
      firstDue: orgState.due[0]?.at ?? 0,
      firstEntry: firstAfter(fold),
      fold,
      folding: text('folding'),
      rule: text('rule'),
      firstNotice: orgState.logs.outbox[0]?.id ?? '',
      noticesDue: Number((orgState.table('notices').text(NOTICES_DUE) ?? '').split(':')[0]),
      firstAudit: orgState.logs.audit[0]?.id ?? '',
      firstEvent: orgState.logs.events[0]?.id ?? '',
      stagingAt: stagingTime(orgState),
      journalLength: journal.length,
      journalBytes: journalBytes(orgState),
      exports: [...orgState.table('exports').map].map(([target, state]) => {
        const noted = String(state);
        return { target, text: noted, firstWaiting: firstAfter(decodeExport(noted).last) };
      }),
    };
  }

  async takeDue(job: Job, most: number, againMs: number): Promise<string[]> {
    const now = this.now();
    return this.orgSchedule.take(job, { now, most, again: now + againMs });
  }

  async schedule(job: Job, visits: readonly Visit[]): Promise<void> {
    this.orgSchedule.add(job, visits);
  }

  async unschedule(org: string): Promise<void> {
    this.orgSchedule.remove(org);
  }

  async drop(org: string, tables: readonly Table[]): Promise<void> {
    const orgState = this.orgStates.get(org);
    for (const table of tables.filter(isHistory)) await this.history.drop(org, table);
    for (const table of tables)
      for (const _ of orgState?.dropTable(table, DROPPED_AT_ONCE) ?? []) await nextTurn();
  }

  async forgetProducers(org: string, idleMs: number): Promise<number> {
    const orgState = this.orgStates.get(org);
    let count = 0;
    if (orgState === undefined) return 0;
    for (const [id, producer] of orgState.producers) {
      if (producer.reply.now >= orgState.org.number('now') - idleMs) continue;
      orgState.producers.delete(id);
      count += 1;
    }
    return count;
  }

  /** One process has this ledger, so it has every lease. */
  async lease(): Promise<boolean> {
    return true;
  }

  async orgs(): Promise<string[]> {
    const exists = (org: string): boolean => (this.orgStates.get(org)?.org.number('version') ?? 0) > 0;
    return [...this.orgStates.keys()].filter((org) => isName(org) && exists(org));
  }

  async clock(): Promise<number> {
    return this.now();
  }

  async close(): Promise<void> {
    await this.disk?.close();
  }

  private run(call: Call): Promise<Reply> {
    return bounded(this.guard, call, async (latest) => {
      this.refuseWhenFailed();
      const reply = applyCall(this.orgStates.get(call.org), call, this.now(), latest);
      if (call.ops.length > 0 && reply.code === 'ok') this.touch(call.org);
      return reply;
    });
  }

  private newOrg(org: string): OrgState {
    const orgState = new OrgState(org, this.disk?.onChange);
    this.orgStates.set(org, orgState);
    return orgState;
  }

  private timeOf(orgState: OrgState): number {
    return Math.max(this.now(), orgState.org.number('now'));
  }

  private touch(org: string): void {
    this.orgSchedule.add('visit', [{ org, at: 0 }]);
  }

  private refuseWhenFailed(): void {
    const failure = this.disk?.failure;
    if (failure !== undefined)
      throw new StoreError('The embedded store cannot be written to disk', false, { cause: failure });
  }
}
