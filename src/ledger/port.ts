/**
 * The port of the ledger: the contract in prose, and its two interfaces. `operations.ts` has the types of calls and replies.
 *
 * - `DecisionStore` is what a decision needs: one call with many operations, decided in order in one atomic step.
 * - `OrgStore` is what admins and maintenance need: read, commit, scan, logs, folding, leases.
 *
 * A consumer takes the interface it needs. Two implementations keep one contract: `redis/` (the rules in Lua) and
 * `embedded/` (the rules in TypeScript: the default, and the model that the Lua is tested against).
 *
 * **Time.** The store's clock is the only one. The time of an org never goes back: now = max(clock, last seen). The caller
 * computes the bounds of cycles, because time zones are hard in Lua; the store checks them. If the first cycle of a call is
 * not the present cycle of the org, the answer is `cycle` with bounds, rule and time, and nothing changes. One exception: the
 * org's cycle is over and the call names its successor. Then the org rolls over (unused allowance expires, used extra is
 * deducted) and the call continues.
 *
 * A clock that jumps must not end a cycle. A call states the latest time that the clock can show (`latest`, or from the guard
 * in clock-guard.ts). If the clock is past it, the answer is `clock` and nothing changes. Maintenance uses the time of the
 * org, which such a reading never moves. An org whose time is ahead of the clock continues, and its answers report it.
 *
 * **Once.** A call with a producer is repeatable. A producer has one call in flight, numbered 1, 2, 3 …
 * - The same number again changes nothing and returns the first answer (`replayed`).
 * - A lower number returns `stale`.
 * - A skipped number returns `producer-behind`: the calls in between were answered once, and this org lacks them.
 *
 * If call n got no answer, the caller sends n again and replaces every operation that must no longer happen by `none`. If n had
 * run, the answer says what to give back. If not, n runs now without these operations, and the first n does nothing when it
 * arrives late.
 *
 * **Only what was charged is given back.** A refund names the call of its admission. It runs if the org has that call: the last
 * number of the producer is that number or a later one, because numbers are never skipped. Otherwise the result is `unproven`
 * and nothing changes: what a fail-over lost is not given back. A producer that the org is behind of, or has forgotten, is never
 * used again, so no later call can replace a lost one. A hold is its own proof: without its record, nothing is given back. No
 * counter goes below 0: a change that would do so stops at 0 and is counted (`clipped`). The units removed from consumption are
 * the same on all lines of a charge and in the journal.
 *
 * A producer is forgotten a day after its last call. Its first call could then run again. Therefore a producer id contains its
 * time of creation by the store's clock (`<id>@<ms>`), and half a day later a first call returns `producer-lost`.
 *
 * **Holds** are settled, released or expire, exactly once. An expired hold is charged the progress of its last renewal and
 * leaves a tombstone for 24 h. A late settlement charges the difference, once. A renewal that asks for more units holds all of
 * it again, if it fits. A release with `keep` leaves a tombstone too, also for an unknown id: a reservation with that id does
 * nothing when it arrives later. A hold always belongs to the cycle of its admission.
 *
 * **A least and a most.** An item of a reservation may name the least that is enough, besides the most that it asks for
 * (`units`). If the most does not fit, the ledger grants what remains on the binding limit, in the same decision. If several items
 * have a least, all of them get the same share of their range, rounded up, because one shorter answer costs less of each quota. The
 * answer states what was granted, and the hold has it. If the least of an item, or an item without one, does not fit, the
 * reservation is refused for these limits only.
 *
 * **Refusals** change no consumed, held or history figure. The ledger names the primary violation (`primary`).
 *
 * **Stagings.** A change of many fields is written in pieces, each short at any size of the whole, and becomes current in one
 * step (a commit that names the staging). Decisions never wait for it: before that step they read nothing of it, and after
 * it they read the staged value in place of the field, until all of them are moved into place, in pieces too. Meanwhile no
 * other commit runs. An org has one staging at a time. One without a piece for ten seconds is abandoned: it has no effect,
 * and what it wrote is deleted. A commit that changes a staged field refuses the switch, so that it is not undone. A
 * registration of a staged user does not: the switch counts their seat once.
 *
 * **Journal.** Each call that charges appends one entry with a line per charge. Folding moves entries into history, once each.
 * Folded + tail = what was charged, to the unit. A folded entry is deleted once every target of the export has it (`stepExport`).
 * Of a journal that grows too long, `trimJournal` deletes the oldest folded entries, and returns which targets lost them.
 *
 * **System data.** The id of an org is a name (quota/id.ts). Data under another id, such as `*tokens*`, is stored in the same
 * way, but `orgs()` does not list it, and no call of the data plane goes to it.
 *
 * **Loss.** The data of an org has an epoch from its creation. A caller that names another epoch gets `lost`, and no counter
 * starts from 0. A caller that finds no data marks the place (`state` is `lost`, no epoch). Then callers that knew no epoch
 * get `lost` too, and only an operator who accepts the loss creates the org again (`lossAccepted` is the epoch that callers may
 * use in place of the one they knew). An empty store gets its first org only after all connected gateways had time to mark
 * the orgs they have seen in it (redis/presence.ts).
 *
 * Users, groups, actions, hold ids and producers contain none of `| ; : , = ~ ! #` and no white space (see quota/id.ts).
 */
import type { ExportStep, JournalTrim, NotedTarget } from './journal-export.js';
import type { Call, Reply } from './operations.js';

export type { Bounds } from '../quota/cycle.js';
export * from './operations.js';

/** Hashes of an org that hold text: the directory, the records and the history. */
export type Table =
  | 'org'
  | 'limits'
  | 'members'
  | 'groups'
  | 'records'
  | 'cycles'
  | 'holds'
  | 'keys'
  | 'notices'
  | 'requests'
  | 'sessions'
  | 'plans'
  | 'exports'
  | `consumed:${number}`
  | `held:${number}`
  | `history:${string}`;

export interface Want {
  readonly table: Table;
  readonly fields: readonly string[];
}

export interface Snapshot {
  /** The org's time, never before any time it returned. */
  readonly now: number;
  /** Version of the directory; 0 if the org does not exist. Every commit and roll increments it. */
  readonly version: number;
  /** One array per `Want`, one value per field; null if absent. */
  readonly values: readonly (readonly (string | null)[])[];
}

export interface OrgEpoch {
  /** As in a snapshot. */
  readonly version: number;
  /** '' if there is none: the org does not exist, or its data is marked as lost. */
  readonly epoch: string;
  /** The epoch that an operator allows callers to use instead of the one they knew; '' for none. */
  readonly accepted: string;
}

/** `was`: the value that the change replaces, null for none. At another value, nothing changes. */
export type Change =
  | {
      readonly set: Table;
      readonly field: string;
      readonly value: string;
      readonly was?: string | null | undefined;
    }
  | { readonly del: Table; readonly field: string; readonly was?: string | null | undefined }
  /** `most`: the result is at most that, or nothing changes. */
  | {
      readonly incr: Table;
      readonly field: string;
      readonly by: number;
      readonly most?: number | undefined;
    };

/** Fields with the values that they must still have, null for none. */
export interface Expectation extends Want {
  readonly values: readonly (string | null)[];
}

/** A change of the directory: applied as a whole, with its audit entry, if the org is still as it was read. */
export interface Commit {
  /** The version that the org must be at. Absent: any, of an org that exists. */
  readonly version?: number | undefined;
  readonly expects?: readonly Expectation[] | undefined;
  /** The staging that becomes current in the same step. */
  readonly staging?: string | undefined;
  readonly changes: readonly Change[];
  /** JSON; '' for automatic changes. */
  readonly audit: string;
  /** What to read in the same step, after the changes; left out: nothing. */
  readonly wants?: readonly Want[];
}

/** Tables that a staging can hold. */
export const STAGED_TABLES = ['limits', 'members', 'groups', 'records'] as const;
export type StagedTable = (typeof STAGED_TABLES)[number];

export function isStagedTable(table: Table): table is StagedTable {
  return (STAGED_TABLES as readonly string[]).includes(table);
}

/** Whether it is a field of a staging: `!<id>:<field>`. Scans leave them out. */
export function isStaged(table: Table, field: string): boolean {
  return field.startsWith('!') && isStagedTable(table);
}

/** The prefix of fields of the staging that is current, by the org's state. */
export function stagedPrefix(state: string | undefined): string | undefined {
  return state?.startsWith('open:') ? `!${state.slice('open:'.length)}:` : undefined;
}

export interface StagedChange {
  readonly table: StagedTable;
  readonly field: string;
  /** '': the field is deleted. */
  readonly value: string;
  readonly was?: string | null | undefined;
}

/** A staging without a piece for this long is abandoned. */
export const STAGING_IDLE_MS = 10_000;

/** `changed`: a field is not what it was read as. `ended`: the staging was abandoned or ended. */
export type StageOutcome = 'ok' | 'changed' | 'ended';

/** The change that marks the place of missing data. */
export const LOST: Commit = {
  version: 0,
  changes: [{ set: 'org', field: 'state', value: 'lost' }],
  audit: '',
};

export interface Page {
  /** '0' begins and ends a scan. */
  readonly cursor: string;
  readonly entries: readonly (readonly [field: string, value: string])[];
}

/** `changes`: the feed of changed fields (change-feed.ts), of which the last ones are kept. */
export type Log = 'journal' | 'audit' | 'outbox' | 'events' | 'changes';

/** Logs that are kept for a time and then trimmed. The others are emptied by what reads them. */
export type KeptLog = 'audit' | 'events';

export interface LogEntry {
  readonly id: string;
  readonly text: string;
}

/**
 * Moves journal entries after `from` up to `to` into history. Applied only if `from` is still the last folded entry, and the
 * progress of this fold is `before`. Without `after`, the fold is complete: `to` becomes the last folded entry, and entries that no
 * target of the export lacks are deleted. With it, the texts that follow are still to be written: only a fold with the same `from` and `to` may write them.
 */
export interface Fold {
  readonly from: string;
  readonly to: string;
  /** '' or absent: this is the first part. */
  readonly before?: string;
  /** '' or absent: this is the last part. */
  readonly after?: string;
  readonly puts: readonly { readonly table: Table; readonly field: string; readonly value: string }[];
}

/**
 * One step of the delivery of notices, applied as a whole: what the outbox becomes, and what becomes of deliveries. It does not
 * change the version of the org. Applied only if the outbox still begins with `outbox.first`, and each field of `expects` still has
 * its value.
 */
export interface NoticeStep {
  /** Entries to remove from the outbox, from its first one. Absent: none. */
  readonly outbox?: { readonly first: string; readonly last: string };
  /** Fields of table `notices`. */
  readonly expects: readonly NoticeField[];
  /** Changes of fields of table `notices`. */
  readonly changes: readonly NoticeField[];
  /** JSON, appended to the log `events`. */
  readonly events: readonly string[];
}

/** Null: the field is absent. */
export type NoticeField = readonly [field: string, value: string | null];

/** The field of table `notices` that says when a delivery is due: `<ms>`, or `<ms>:<unique>`. */
export const NOTICES_DUE = 'due';

/** A schedule of maintenance: visits for what a call left to do, and rare cleanings. */
export type Job = 'visit' | 'clean';

export interface Visit {
  readonly org: string;
  /** In the store's time; 0: at once. */
  readonly at: number;
}

/** What maintenance has to do in an org. */
export interface PendingWork {
  /** The org's time. */
  readonly now: number;
  /** End of the present cycle. */
  readonly end: number;
  /** When the first hold or tombstone is due; 0: there is none. */
  readonly firstDue: number;
  /** The first journal entry that is not folded; '' for none. */
  readonly firstEntry: string;
  /** The last folded entry; '' for none. */
  readonly fold: string;
  /** How far an incomplete fold got (`Fold.after`); '' for none. */
  readonly folding: string;
  /** JSON of the cycle's rule. */
  readonly rule: string;
  /** The first entry of the outbox; '' for none. */
  readonly firstNotice: string;
  /** When a delivery of notices is due; 0: there is none. */
  readonly noticesDue: number;
  /** The first entries of the kept logs; '' for none. */
  readonly firstAudit: string;
  readonly firstEvent: string;
  /** Time of the last piece of a staging; 1: it is to be ended; 0: there is none. */
  readonly stagingAt: number;
  /** Entries of the journal. */
  readonly journalLength: number;
  /** About what they take of the memory; 0 without targets of its export. */
  readonly journalBytes: number;
  /** The targets of its export. */
  readonly exports: readonly NotedTarget[];
}

/** What a decision needs. */
export interface DecisionStore {
  /** False while the store cannot be used. */
  readonly ready: boolean;
  /** The store is not ready, but was a moment ago and is reconnecting. Callers wait for it within their deadline. */
  readonly reconnecting: boolean;
  /** The listener is called each time the store becomes ready. */
  onReady(listener: () => void): void;
  /** Rejects with a `StoreError` if no answer arrived: the call may or may not have run. */
  apply(call: Call): Promise<Reply>;
  /** Returns what `apply` would find. It uses the connection of decisions, so that both reach the same server. */
  epochOf(org: string): Promise<OrgEpoch>;
  /** Marks an org as lost, if there is no data at all. */
  markLost(org: string): Promise<void>;
}

/** What a large change needs: see **Stagings** above. */
export interface StagingStore {
  /** Returns the id; undefined while the org has another staging, or moves one into place. */
  beginStaging(org: string): Promise<string | undefined>;
  /** Writes one piece; nothing of it is read before the switch. */
  stage(org: string, id: string, changes: readonly StagedChange[]): Promise<StageOutcome>;
  /**
   * Moves a current staging into place, and deletes what an abandoned one left; in pieces, resumable, by any process.
   * `id`: a staging of the caller's that is given up. Returns false while another staging goes on.
   */
  endStaging(org: string, id?: string): Promise<boolean>;
}

/** What admins and maintenance need. */
export interface OrgStore extends StagingStore {
  /** 'redis' or 'embedded': shown to operators. */
  readonly name: string;
  read(org: string, wants: readonly Want[]): Promise<Snapshot>;
  /** The org after the changes, at its new version; undefined if it was no longer as the commit expects. */
  commit(org: string, commit: Commit): Promise<Snapshot | undefined>;
  scan(org: string, table: Table, cursor: string, count: number): Promise<Page>;
  /** Oldest first, after entry `after` ('': from the first). */
  log(org: string, log: Log, after: string, count: number): Promise<LogEntry[]>;
  /** Newest first, before entry `before` ('': from the last). */
  logBack(org: string, log: Log, before: string, count: number): Promise<LogEntry[]>;
  fold(org: string, fold: Fold): Promise<boolean>;
  stepExport(org: string, step: ExportStep): Promise<boolean>;
  /** Deletes some entries of a journal with more than `most`: call it until it is short enough, or deletes none. */
  trimJournal(org: string, most: number): Promise<JournalTrim>;
  stepNotices(org: string, step: NoticeStep): Promise<boolean>;
  /** Appends an entry without a change of the directory. */
  append(org: string, log: KeptLog, text: string): Promise<void>;
  /** Deletes the entries that were appended before `before` (store time). */
  trim(org: string, log: KeptLog, before: number): Promise<void>;
  /** Undefined: the org does not exist, or its data is missing. */
  pendingWork(org: string): Promise<PendingWork | undefined>;
  /**
   * Takes at most `most` orgs whose maintenance is due; each is due again after `againMs`. A call with operations, and a
   * commit, schedule a visit of their org, at the latest a second later unless their process is killed.
   */
  takeDue(job: Job, most: number, againMs: number): Promise<string[]>;
  /** Schedules visits. A later time than the scheduled one changes nothing. */
  schedule(job: Job, visits: readonly Visit[]): Promise<void>;
  /** Removes an org that does not exist from the schedules. */
  unschedule(org: string): Promise<void>;
  /** Deletes whole tables (old cycles, old history). */
  drop(org: string, tables: readonly Table[]): Promise<void>;
  /** Forgets producers whose last call is older than the org's now − `idleMs`: their gateways no longer run. */
  forgetProducers(org: string, idleMs: number): Promise<number>;
  /** Takes or renews the lease of a job that one process runs at a time. Returns false if another process holds it. */
  lease(job: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Ids of all orgs, including archived ones, without system data. */
  orgs(): Promise<string[]>;
  /** The store's time in ms. */
  clock(): Promise<number>;
}

/** Both interfaces, as an implementation has them and the composition root hands them out. */
export interface Ledger extends DecisionStore, OrgStore {
  close(): Promise<void>;
}

interface StoreErrorOptions extends ErrorOptions {
  /** Absent: true. */
  readonly answered?: boolean;
}

/** There was no usable answer. `ran` is false only if the call certainly did not run. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** False if the connection ended or was missing: the next connection may answer the same call. */
  readonly answered: boolean;

  constructor(
    message: string,
    readonly ran: false | 'unknown',
    { answered = true, ...options }: StoreErrorOptions = {},
  ) {
    super(message, options);
    this.answered = answered;
  }
}
