/**
 * The ledger: what it promises, in prose, and the shapes that pass through its door.
 *
 * One org is one book. Every change to a book is one atomic step: a `Call` (the data plane: many operations, decided in
 * order) or a `Commit` (the admin plane: field changes and their audit entry). Two implementations keep the same law:
 * `redis/` (the rules in Lua) and `memory/` (the rules in TypeScript: the embedded default, and the model that the Lua is
 * tested against).
 *
 * **Time.** The store's clock is the only one. Per book it only moves forward: now = max(clock, last seen). The caller
 * computes the bounds of cycles, for time zones are hard in Lua; the store judges them. A call whose first cycle is not
 * the book's present one is answered `cycle` with the book's bounds, rule and time, and changes nothing, unless the book's
 * cycle is over and the call's is its successor: then the book rolls (unused allowance expires, what was used of the
 * extra is written down) and the call goes on.
 *
 * A clock that jumps must not end a cycle. A call says the latest time that the clock can show (`latest`, or by the guard of
 * clock-guard.ts); where the clock is past it, the call is answered `clock` and changes nothing. Housekeeping goes by the
 * book's time, which no such reading has moved. A book whose time is ahead of the clock goes on, and its answers say so.
 *
 * **Once.** A call with a producer is repeatable: a producer has one call in flight, numbered 1, 2, 3 …; the same number again
 * changes nothing and gets the first answer (`replayed`), a lower one gets `stale`, and one that leaves numbers out gets
 * `producer-behind`: the calls between were answered once, and this book does not have them. To find out what became of call n
 * after silence, the caller sends n again with every operation that must no longer happen replaced by `none`: if n had
 * run, its answer says what to give back; if not, it runs now without them, and the first one does nothing when it
 * arrives late.
 *
 * **Only what was charged is given back.** A refund names the call of its admission. It is done where the book has that call:
 * where the producer's last number is that of the call or a later one, for numbers are never left out. Else it is `unproven`
 * and changes nothing: what a fail-over lost is not given back. A producer that the book is behind of or has forgotten is never
 * used again, so that no later call stands for a lost one. A hold is its own proof: without its record, nothing is given
 * back. No counter goes below 0: a move that would take it there stops at 0 and is counted (`clipped`); what is taken off
 * consumed is the same on all lines of a charge, and in the journal.
 *
 * A producer is forgotten a day after its last call. Its first call would run again then; so a producer says in its id when it was
 * made by the store's clock (`<id>@<ms>`), and half a day later a first call is answered `producer-lost`.
 *
 * **Holds** are settled, released or expire, exactly once. An expired hold is charged the progress of its last renewal
 * and leaves a tombstone for 24 h: a late settlement charges the difference, once, and a renewal that asks for more holds
 * all of it again, where there is room. A release with `keep` leaves a tombstone
 * too, also for an id never seen: a reservation with that id does nothing when it arrives later. A hold belongs to the
 * cycle of its admission for ever.
 *
 * **Refusals** change no consumed, held or history figure.
 *
 * **Journal.** Each call that charges appends one entry with a line per charge; folding moves entries into history,
 * once each. Folded + tail = what was charged, to the unit.
 *
 * **Books that are no org's.** The id of an org is a name (quota/id.ts). A book whose id is none, such as `*tokens*`, is kept
 * like all others, but it is not among `orgs()`, and no call of the data plane goes to it.
 *
 * **Loss.** A book carries an epoch from its creation. A caller that names an epoch which the book does not have is
 * answered `lost`, and nothing is counted from 0. Who finds no book at all marks the place (`state` is `lost`, no epoch):
 * then callers that knew none are answered `lost` too, and nobody makes the book anew but an operator who accepts the
 * loss (`lossAccepted` is the epoch that callers may take in place of the one they knew). A store that is empty gets its first
 * org only after all connected gateways had time to mark the orgs they have seen in it (redis/presence.ts).
 *
 * Tokens (users, groups, actions, hold ids, producers) contain none of `| ; : , = ~ ! #` and no white space (see quota/id.ts).
 */
import type { Charges } from '../quota/charge.js';
import type { Scope } from '../quota/id.js';

/** Start (inclusive) and end (exclusive) of a cycle, in ms since the epoch. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

export type UnknownUsers = 'register' | 'deny';

export interface ReserveOp {
  readonly kind: 'reserve';
  /** User token; '' where `key` tells who it is. */
  readonly user: string;
  /** `<key id>:<sha256 of its secret, hex>` of an API key: the book says whose it is, and whether it is valid now. */
  readonly key?: string;
  /**
   * Group tokens claimed by the caller's credential, comma-separated, compared exactly. Unknown ones are ignored: they are
   * those that the answer's `groups` do not have.
   */
  readonly claims: string;
  /** `deny`: a claim that is unknown is a reason to refuse. */
  readonly unknownGroups?: 'deny';
  readonly charges: Charges;
  /** Id of the hold to leave, or '' where every cost is fixed and nothing stays to be settled. */
  readonly hold: string;
  /** Life of the hold from the store's now. */
  readonly ttlMs: number;
}

/** Settles a hold at the true cost. `units` has one entry per item that was reserved and is not a gate, in order. */
export interface SettleOp {
  readonly kind: 'settle';
  readonly hold: string;
  readonly units: readonly number[];
  /** The cost is our estimate, not the upstream's word; the journal marks it. */
  readonly estimated: boolean;
}

/** Gives back everything of a hold, fixed costs too. `keep`: leave a tombstone, also where the id is unknown. */
export interface ReleaseOp {
  readonly kind: 'release';
  readonly hold: string;
  readonly keep: boolean;
  /** JSON; appended to the audit log in the same step, where the hold was released by somebody's act. */
  readonly audit?: string;
}

/**
 * Prolongs a hold, notes its progress (`units` as in settle) and asks for `more` units on top (0: none, and for fixed
 * items always). `quotas`, `units` and `more` have one entry per item that was reserved and is not a gate, in order.
 */
export interface RenewOp {
  readonly kind: 'renew';
  readonly hold: string;
  readonly ttlMs: number;
  readonly quotas: readonly string[];
  readonly units: readonly number[];
  readonly more: readonly number[];
}

/** Gives back the fixed costs of an admission. `groups`, `cycle`, `at`: as its answer said. */
export interface RefundOp {
  readonly kind: 'refund';
  readonly user: string;
  readonly groups: string;
  readonly charges: Charges;
  readonly cycle: number;
  readonly at: number;
  /** `<producer>.<seq>` of the call that admitted. */
  readonly call: string;
}

/**
 * Charges what was served while the ledger gave no decision, whatever the limits and the directory say: never lost beats
 * never over. `charges` has fixed items only. `at` is when it was admitted, by the caller's reckoning of the store's clock:
 * the charge goes to the latest of the call's cycles that had begun by then (the present one if none had), at the nearest
 * time within it, and to the user's groups of now.
 */
export interface ChargeOp {
  readonly kind: 'charge';
  readonly user: string;
  /** As in a reservation. */
  readonly claims: string;
  readonly charges: Charges;
  readonly at: number;
  readonly estimated: boolean;
}

/** Stands where an operation must no longer happen. */
export interface NoneOp {
  readonly kind: 'none';
}

export type Op = ReserveOp | SettleOp | ReleaseOp | RenewOp | RefundOp | ChargeOp | NoneOp;

export interface Call {
  readonly org: string;
  /** The epoch the caller knows the book by, '' before its first answer. */
  readonly epoch: string;
  /** '' for a call that need not be repeatable. */
  readonly producer: string;
  readonly seq: number;
  /** Version of the cycle rule by which the bounds were computed. */
  readonly ruleVersion: number;
  /** First the cycle believed to be present, then older ones whose holds this call may touch. */
  readonly cycles: readonly Bounds[];
  readonly unknownUsers: UnknownUsers;
  /** How many due holds this call expires before its operations. */
  readonly expireMost: number;
  /** The latest time that the store's clock can show; left out, the ledger's own guard says so, if it has one. */
  readonly latest?: number;
  readonly ops: readonly Op[];
}

/** The findBindingLimits hard limit of one charged quota after this decision; `scope` undefined where no hard limit applies. */
export interface BindingLimit {
  readonly quota: string;
  readonly scope: Scope | undefined;
  readonly limit: number;
  readonly remaining: number;
}

/** A limit that has no room (or, on an admission, would have had none were it not soft or in shadow). */
export interface Violation {
  readonly quota: string;
  readonly scope: Scope;
  /** Group token, '' for the user and the org. */
  readonly group: string;
  readonly limit: number;
  readonly consumed: number;
  readonly held: number;
  readonly requested: number;
}

export interface Admitted {
  readonly status: 'admitted';
  /** The holder of the API key, where one told who it is. */
  readonly user?: string;
  /** Tokens of the groups that were charged, comma-separated: a refund names them. */
  readonly groups: string;
  /** The hold stood already: the same reservation again. */
  readonly again: boolean;
  readonly violated: readonly Violation[];
  readonly bindingLimits: readonly BindingLimit[];
}

export interface Refused {
  readonly status: 'refused';
  /** `spent`: no room beside what is consumed. `held`: it would fit but for holds in flight. */
  readonly reason: 'spent' | 'held';
  readonly user?: string;
  readonly groups: string;
  readonly violated: readonly Violation[];
  readonly bindingLimits: readonly BindingLimit[];
}

export interface Denied {
  readonly status: 'denied';
  readonly reason:
    | 'no-plan'
    | 'unknown-user'
    | 'inactive-user'
    | 'no-seat'
    | 'too-many-groups'
    | 'org-archived'
    | 'voided'
    | 'invalid-key'
    | 'unknown-group';
  /** With `unknown-group`: the tokens of those, comma-separated. */
  readonly groups?: string;
}

export interface Settled {
  readonly status: 'settled';
  /** Units above the hold (late, and of a `charge`: all units charged now) that went past a hard limit, per item. */
  readonly overshoot: readonly number[];
  /** The hold had expired, or was released by hand: only the difference was charged. Of a `charge`, always. */
  readonly late: boolean;
}

/**
 * `other-cycle`: nothing was done, for the hold's cycle was not among the call's. `unproven`: nothing was given back, for the
 * book does not have the call that admitted.
 */
export interface Done {
  readonly status:
    | 'released'
    | 'renewed'
    | 'refunded'
    | 'unknown-hold'
    | 'expired-hold'
    | 'other-cycle'
    | 'none'
    | 'unproven';
}

export type Result = Admitted | Refused | Denied | Settled | Done;

/**
 * `producer-lost`: the book has no such producer (any more), and the call is not its first. `producer-behind`: the book lacks calls of
 * the producer before this one. `clock`: the store's clock shows a time that it cannot have. Only `ok` changed anything.
 */
export type CallCode =
  | 'ok'
  | 'cycle'
  | 'no-org'
  | 'lost'
  | 'stale'
  | 'producer-lost'
  | 'producer-behind'
  | 'clock';

/** A tombstone keeps what a hold was charged for this long. */
export const TOMBSTONE_MS = 86_400_000;

/** A producer is kept this long after its last call: refunds name calls of it. */
export const PRODUCER_KEPT_MS = 86_400_000;
/** The first call of a producer `<id>@<born>` runs this long from its birth at most: forgotten, it is never run again. */
export const PRODUCER_YOUNG_MS = PRODUCER_KEPT_MS / 2;

/** Before a refusal, a call expires at most this many more due holds. */
export const EXPIRE_BEFORE_REFUSAL = 64;

export interface Reply {
  readonly code: CallCode;
  /** The book's time: on `replayed`, the time of the first answer. */
  readonly now: number;
  readonly cycle: Bounds;
  /** Start of the cycle before, 0 if there was none. */
  readonly previous: number;
  /** The cycle rule as JSON, told with `cycle` only, and its version: what the next bounds are to be computed from. */
  readonly rule: string;
  readonly ruleVersion: number;
  readonly epoch: string;
  readonly replayed: boolean;
  /** Counter lines this call touched: callers bound their batches by it. */
  readonly lines: number;
  readonly expired: number;
  /** Start of a cycle not named in the call, of which holds are due; 0 if none. */
  readonly dueIn: number;
  /** Moves of this call that would have taken a counter below 0, and stopped there. */
  readonly clipped: number;
  /** What the store's clock showed; `now` is past it where the book has seen a later time. */
  readonly clock: number;
  /** One per operation. On `replayed`, `violated` and `bindingLimits` are told only of operations that the repetition names. */
  readonly results: readonly Result[];
}

/** Hashes of a book that hold text: the directory, the records and the history. */
export type Table =
  | 'org'
  | 'limits'
  | 'members'
  | 'groups'
  | 'records'
  | 'cycles'
  | 'holds'
  | 'keys'
  | `consumed:${number}`
  | `held:${number}`
  | `history:${string}`;

export interface Want {
  readonly table: Table;
  readonly fields: readonly string[];
}

export interface Snapshot {
  /** The book's time, never before any time it gave out. */
  readonly now: number;
  /** Version of the directory, 0 where the org does not exist; every commit, registration and roll raises it. */
  readonly version: number;
  /** One array per want, one value per field, null where absent. */
  readonly values: readonly (readonly (string | null)[])[];
}

export interface OrgEpoch {
  /** As in a snapshot. */
  readonly version: number;
  /** '' where there is none: no such org, or its data is marked as lost. */
  readonly epoch: string;
  /** The epoch that an operator lets callers take in place of the one they knew; '' for none. */
  readonly accepted: string;
}

export type Change =
  | { readonly set: Table; readonly field: string; readonly value: string }
  | { readonly del: Table; readonly field: string }
  | { readonly incr: Table; readonly field: string; readonly by: number };

/** A change of the directory. It happens in whole, with its audit entry, if the book is still at `version`. */
export interface Commit {
  readonly version: number;
  readonly changes: readonly Change[];
  /** JSON; '' for changes that are nobody's act. */
  readonly audit: string;
}

export interface Page {
  /** '0' begins and ends a scan. */
  readonly cursor: string;
  readonly entries: readonly (readonly [field: string, value: string])[];
}

export type Log = 'journal' | 'audit' | 'outbox';

export interface LogEntry {
  readonly id: string;
  readonly text: string;
}

/** Moves journal entries after `from` up to `to` into history. Done only if `from` is still what was folded last. */
export interface Fold {
  readonly from: string;
  readonly to: string;
  readonly adds: readonly { readonly table: Table; readonly field: string; readonly units: number }[];
}

export interface Ledger {
  /** 'redis' or 'embedded': shown to operators. */
  readonly name: string;
  /** False while the store cannot be used. */
  readonly ready: boolean;
  /** It is not ready, but was a moment ago, and is being connected again: callers wait for it within their deadline. */
  readonly reconnecting: boolean;
  /** Told each time that the store has become ready. */
  onReady(listener: () => void): void;
  /** Rejects with a `StoreError` where no answer came: the call may or may not have run. */
  apply(call: Call): Promise<Reply>;
  read(org: string, wants: readonly Want[]): Promise<Snapshot>;
  /** What `apply` would find: it asks where decisions are made, so that a loss is judged there too. */
  epochOf(org: string): Promise<OrgEpoch>;
  /** The new version, or undefined where the book was no longer at `commit.version`. */
  commit(org: string, commit: Commit): Promise<number | undefined>;
  scan(org: string, table: Table, cursor: string, count: number): Promise<Page>;
  /** Oldest first, from behind `after` ('': from the first). */
  log(org: string, log: Log, after: string, count: number): Promise<LogEntry[]>;
  /** Newest first, from before `before` ('': from the last). */
  logBack(org: string, log: Log, before: string, count: number): Promise<LogEntry[]>;
  fold(org: string, fold: Fold): Promise<boolean>;
  /** Forgets whole tables (old cycles, old history). */
  drop(org: string, tables: readonly Table[]): Promise<void>;
  /** Forgets producers whose last call is older than the book's now − `idleMs`: their callers are gone. */
  forgetProducers(org: string, idleMs: number): Promise<number>;
  /** Takes or keeps a lease for a job that one process does at a time. False: another holds it. */
  lease(job: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Ids of all orgs, archived ones too, and of no other books. */
  orgs(): Promise<string[]>;
  /** The store's time in ms. */
  clock(): Promise<number>;
  close(): Promise<void>;
}

interface StoreErrorOptions extends ErrorOptions {
  /** Left out: true. */
  readonly answered?: boolean;
}

/** No answer, or none that could be used. `ran` is false only where the call certainly did not run. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** False where the connection ended, or was not there: the same call may be answered over the next one. */
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
