/** What a call asks for and what it returns: operations, results, calls, replies. `port.ts` states the contract. */
import type { Charges } from '../quota/charge.js';
import type { Bounds } from '../quota/cycle.js';
import type { Scope } from '../quota/id.js';

export type UnknownUsers = 'register' | 'deny';

export interface ReserveOp {
  readonly kind: 'reserve';
  /** User key; '' if `key` identifies the user. */
  readonly user: string;
  /**
   * `<key id>:<sha256 of its secret, hex>` of an API key. The org's data says who owns it and whether it is valid now.
   */
  readonly key?: string;
  /**
   * Groups claimed by the caller's credential, comma-separated, compared exactly. Unknown groups are ignored: the `groups`
   * of the answer leave them out.
   */
  readonly claims: string;
  /** `deny`: an unknown claimed group denies the request. */
  readonly unknownGroups?: 'deny';
  /** Items with a `least` may be granted less than their units. Such a reservation has a hold. */
  readonly charges: Charges;
  /** Id of the hold to create, or '' if every cost is fixed and nothing is settled later. */
  readonly hold: string;
  /** Lifetime of the hold, from the store's present time. */
  readonly ttlMs: number;
}

/** What a request cost. `units` has one entry per item that was reserved and is not a gate, in order. */
export interface FinalCost {
  readonly units: readonly number[];
  /** The cost is an estimate, not reported by the upstream; the journal marks it. */
  readonly estimated: boolean;
  /** Model key (quota/id.ts) of the model that answered. Absent: the one of the reservation. */
  readonly model?: string;
  /** With a model: what the meter read, before weights, per item, scaled as the units. Undefined: the units. */
  readonly raws?: RawAmounts;
}

export type RawAmounts = readonly (number | undefined)[];

/** Settles a hold at the true cost. */
export interface SettleOp extends FinalCost {
  readonly kind: 'settle';
  readonly hold: string;
}

/** Returns everything of a hold, including fixed costs. `keep`: leave a tombstone, even if the id is unknown. */
export interface ReleaseOp {
  readonly kind: 'release';
  readonly hold: string;
  readonly keep: boolean;
  /** JSON; appended to the audit log in the same step, if a person released the hold. */
  readonly audit?: string;
}

/**
 * Extends a hold, records its progress (`units` as in settle) and asks for `more` additional units (0: none; fixed
 * items: always 0). `quotas`, `units` and `more` have one entry per item that was reserved and is not a gate, in order.
 */
export interface RenewOp {
  readonly kind: 'renew';
  readonly hold: string;
  readonly ttlMs: number;
  readonly quotas: readonly string[];
  readonly units: readonly number[];
  readonly more: readonly number[];
}

/** Returns the fixed costs of an admission. `groups`, `cycle`, `at`: from its answer. */
export interface RefundOp {
  readonly kind: 'refund';
  readonly user: string;
  readonly groups: string;
  readonly charges: Charges;
  readonly cycle: number;
  readonly at: number;
  /** `<producer>.<seq>` of the call that admitted. */
  readonly call: string;
  /** Id of the API key of the admission. */
  readonly key?: string;
}

/**
 * Charges what was served while the ledger made no decision. It may exceed limits, because a charge is never lost.
 * `charges` has fixed items only. `at` is the time of admission, by the caller's estimate of the store's clock. The
 * charge goes to the latest of the call's cycles that had begun by then (the present one if none had), at the nearest
 * time within it, and to the user's current groups.
 */
export interface ChargeOp {
  readonly kind: 'charge';
  readonly user: string;
  /** As in a reservation. */
  readonly claims: string;
  readonly charges: Charges;
  readonly at: number;
  readonly estimated: boolean;
  /** Id of the API key. */
  readonly key?: string;
  readonly raws?: RawAmounts;
}

/** Refused requests that a gateway counted: lines of the journal (codec.ts), which change no counter. */
export interface RefusalsOp {
  readonly kind: 'refusals';
  readonly lines: string;
}

/**
 * Corrects what a user consumed of a quota in the present cycle, by units of either sign, on all lines of the charge or none. Limits
 * are not asked; no counter goes below 0.
 */
export interface AdjustOp {
  readonly kind: 'adjust';
  readonly user: string;
  readonly quota: string;
  /** Not 0. */
  readonly units: number;
  /** Groups whose combined consumption changes too, comma-separated; left out: those that the user is in. */
  readonly groups?: string | undefined;
  /** In the journal. */
  readonly action: string;
  /** Comes back with the result: a repetition sees whose it is. */
  readonly mark: string;
  /** JSON; appended to the audit log in the same step. */
  readonly audit: string;
}

/** Replaces an operation that must no longer happen. */
export interface NoneOp {
  readonly kind: 'none';
}

export type Op =
  | ReserveOp
  | SettleOp
  | ReleaseOp
  | RenewOp
  | RefundOp
  | ChargeOp
  | RefusalsOp
  | AdjustOp
  | NoneOp;

export interface Call {
  readonly org: string;
  /** The epoch of the org's data that the caller knows; '' before its first answer. */
  readonly epoch: string;
  /** '' for a call that need not be repeatable. */
  readonly producer: string;
  readonly seq: number;
  /** Version of the cycle rule by which the bounds were computed. */
  readonly ruleVersion: number;
  /** First the cycle that the caller believes is present, then older ones whose holds this call may touch. */
  readonly cycles: readonly Bounds[];
  readonly unknownUsers: UnknownUsers;
  /** How many due holds this call expires before its operations. */
  readonly expireMost: number;
  /** The latest time that the store's clock can show; if left out, the ledger's own guard supplies it, if it has one. */
  readonly latest?: number;
  readonly ops: readonly Op[];
}

/** The hard limit with the least remaining, of one charged quota after this decision; `scope` undefined if no hard limit applies. */
export interface BindingLimit {
  readonly quota: string;
  readonly scope: Scope | undefined;
  readonly limit: number;
  readonly remaining: number;
}

/** An exceeded limit: a hard one on a refusal; a soft or shadow one on an admission. */
export interface Violation {
  readonly quota: string;
  readonly scope: Scope;
  /** Group id, '' for the user and the org. */
  readonly group: string;
  readonly limit: number;
  readonly consumed: number;
  readonly held: number;
  /** On the refusal of a reservation with a `least`: the least. */
  readonly requested: number;
}

export interface Admitted {
  readonly status: 'admitted';
  /** The holder of the API key, if a key identified the user. */
  readonly user?: string;
  /** Ids of the charged groups, comma-separated: a refund names them. */
  readonly groups: string;
  /** The hold already exists: the same reservation was sent before. */
  readonly duplicate: boolean;
  readonly violated: readonly Violation[];
  readonly bindingLimits: readonly BindingLimit[];
  /** The units charged or held per item, if an item has a `least`. */
  readonly granted?: readonly number[];
}

export interface Refused {
  readonly status: 'refused';
  /** `spent`: the charge does not fit beside what is consumed. `held`: it would fit without the open holds. */
  readonly reason: 'spent' | 'held';
  /** Index in `violated` of the violation to report: the first spent one, or the first if none is spent. */
  readonly primary: number;
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
  /** With `unknown-group`: the unknown groups, comma-separated. */
  readonly groups?: string;
}

export interface Settled {
  readonly status: 'settled';
  /**
   * Units above the hold (late settlements and charges: all units charged now) that exceeded a hard limit, per item.
   */
  readonly overshoot: readonly number[];
  /** The hold had expired, or a person released it: only the difference was charged. Always true for a `charge`. */
  readonly late: boolean;
}

export interface Adjusted {
  readonly status: 'adjusted';
  /** `below-zero`, `too-large`: nothing changed, for the counter at `at` would be below 0, or more than can be counted. */
  readonly outcome: 'corrected' | 'below-zero' | 'too-large';
  readonly at?: { readonly scope: Scope; readonly group: string };
  readonly mark: string;
  readonly groups: string;
  /** Of the user and of the org, after the correction. */
  readonly consumed: number;
  readonly orgConsumed: number;
}

/**
 * `other-cycle`: nothing was done, because the call does not name the hold's cycle. `unproven`: nothing was given back,
 * because the org's data does not contain the call that admitted.
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
    | 'unproven'
    | 'noted';
}

export type Result = Admitted | Refused | Denied | Settled | Adjusted | Done;

/**
 * `producer-lost`: the org has no such producer, and the call is not its first. `producer-behind`: the org lacks earlier calls
 * of the producer. `clock`: the store's clock shows an impossible time. Only `ok` changed anything.
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

/** A tombstone keeps the amount that a hold was charged for this long. */
export const TOMBSTONE_MS = 86_400_000;

/** A producer is kept this long after its last call, because refunds name its calls. */
export const PRODUCER_KEPT_MS = 86_400_000;
/**
 * A first call of producer `<id>@<created at>` runs at most this long after the producer's creation, so a forgotten
 * call never runs again.
 */
export const PRODUCER_YOUNG_MS = PRODUCER_KEPT_MS / 2;

/** Before a refusal, a call expires at most this many more due holds. */
export const EXPIRE_BEFORE_REFUSAL = 64;

/** Units that a hold charged above what it held, and that exceeded a hard limit. */
export interface Overshoot {
  readonly quota: string;
  readonly units: number;
}

export interface Reply {
  readonly code: CallCode;
  /** The org's time; on `replayed`, the time of the first answer. */
  readonly now: number;
  readonly cycle: Bounds;
  /** Start of the previous cycle; 0 if there was none, or where it may be left out: the call named the present cycle first, and no roll was needed. */
  readonly previous: number;
  /** The cycle rule as JSON, present with code `cycle` only, and its version: the caller computes the next bounds from it. */
  readonly rule: string;
  readonly ruleVersion: number;
  readonly epoch: string;
  readonly replayed: boolean;
  /** Counter lines that this call touched. Callers use it to limit their batches. */
  readonly lines: number;
  readonly expired: number;
  /** Start of a cycle with due holds that the call does not name; 0 if none. */
  readonly dueIn: number;
  /** Changes of this call that would have taken a counter below 0 and stopped at 0. */
  readonly clipped: number;
  /**
   * Overshoot of the holds that this call settled or that expired in it. Overshoot of `charge` is only in the results.
   */
  readonly overshoots: readonly Overshoot[];
  /** With code `producer-behind` only: number of the last call of the producer that the org has. */
  readonly lastCall?: number;
  /** The store answered on its common path; left out by a ledger that has only one. */
  readonly common?: boolean;
  /** The reading of the store's clock. `now` is later if the org has seen a later time. */
  readonly clock: number;
  /** One per operation. On `replayed`, `violated`, `bindingLimits` and `granted` are left out for operations that the repetition replaced by `none`. */
  readonly results: readonly Result[];
}
