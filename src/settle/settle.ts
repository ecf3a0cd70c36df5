/** The last stage: settles the charge once it is known how the request ended. */

import type { FinalCost, Op, Result } from '../ledger/port.js';
import type { Costs } from '../meter/reader.js';
import { type ChargeItem, charges } from '../quota/charge.js';
import { keyIdOf, modelKeyOf } from '../quota/id.js';
import type { TokenReport } from '../quota/tokens.js';
import type { Admission, SettlementQueue } from './admission.js';
import { HoldRenewer } from './hold-renewer.js';

/**
 * How the request ended. `status`: the upstream's status is known; `whole`: the whole body was passed on; `clientGone`:
 * the client disconnected before that. `unserved`: the request was never sent, or the upstream gave no status.
 * `unseen`: it was sent, and the client disconnected before a status arrived.
 */
export type Ending =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly whole: boolean;
      readonly clientGone: boolean;
    }
  | { readonly kind: 'unserved' }
  | { readonly kind: 'unseen' };

/** Whether a response with this status is charged on this quota. */
export type Counts = (quota: string, status: number) => boolean;

export interface Settle {
  /** The request is forwarded: its hold is renewed until it ends. */
  begin(admission: Admission): void;
  /** Holds more for an open request, per held charge: `renewed`, or `refused` if a limit would be exceeded. */
  extend(admission: Admission, more: readonly number[]): Promise<Result>;
  end(admission: Admission, ending: Ending): void;
  /** Resolves when the costs of all requests are known and their settlements are queued. */
  close(): Promise<void>;
}

/** Observes holds and responses; optional. */
export interface HoldObserver {
  opened(): void;
  closed(): void;
  /** Tokens of an answer were counted. */
  counted(tokens: TokenReport): void;
  /**
   * The upstream marked a response as a replay: it is free, or charged because the original call is not known to be
   * charged.
   */
  replayed(free: boolean): void;
}

export interface SettleOptions {
  readonly queue: SettlementQueue;
  readonly counts: Counts;
  /** Lifetime of a hold; it is renewed three times in that span. */
  readonly holdMs: number;
  /** Called with what could not be delivered to the store. */
  readonly onLost: (error: unknown) => void;
  readonly observer?: HoldObserver;
}

export function settler(options: SettleOptions): Settle {
  return new Settler(options);
}

const UNSERVED: Ending = { kind: 'unserved' };

class Settler implements Settle {
  private readonly renewer: HoldRenewer;
  /** Requests with a cost known later, until their costs are known. */
  private open = 0;
  private onIdle: (() => void) | undefined;

  private readonly queue: SettlementQueue;
  private readonly counts: Counts;
  private readonly onLost: (error: unknown) => void;
  private readonly observer: HoldObserver | undefined;

  constructor({ queue, counts, holdMs, onLost, observer }: SettleOptions) {
    this.queue = queue;
    this.counts = counts;
    this.onLost = onLost;
    this.observer = observer;
    this.renewer = new HoldRenewer(queue, holdMs, onLost);
  }

  begin(admission: Admission): void {
    if (admission.reader !== undefined) this.open += 1;
    if (admission.hold === '') return;
    this.renewer.add(admission);
    this.observer?.opened();
  }

  extend(admission: Admission, more: readonly number[]): Promise<Result> {
    return this.renewer.extend(admission, more);
  }

  end(admission: Admission, ending: Ending): void {
    const { reader } = admission;
    if (reader === undefined && admission.chargeLater === undefined) {
      this.enqueueSettlement(
        admission,
        refundOf(admission, this.unlessReplayed(admission, ending, []), this.counts),
      );
      return;
    }
    const costs = reader?.costs(ending.kind === 'status' && ending.whole) ?? [];
    if (!(costs instanceof Promise)) {
      this.settle(admission, ending, costs);
      return;
    }
    costs.then(
      (known) => this.settle(admission, ending, known),
      (error: unknown) => {
        this.onLost(error);
        this.settle(admission, ending, []);
      },
    );
  }

  async close(): Promise<void> {
    if (this.open === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  private settle(admission: Admission, ending: Ending, costs: Costs): void {
    const isVoid = ending.kind === 'status' && admission.reader?.isVoid?.() === true;
    this.pay(admission, isVoid ? UNSERVED : this.unlessReplayed(admission, ending, costs), costs);
    if (admission.reader === undefined) return;
    this.open -= 1;
    if (this.open === 0) this.onIdle?.();
  }

  private pay(admission: Admission, ending: Ending, costs: Costs): void {
    this.count(admission, ending);
    if (admission.chargeLater !== undefined) {
      admission.chargeLater(chargesOf(admission, ending, costs, this.counts));
      return;
    }
    this.renewer.delete(admission);
    const op = endOfHold(admission, ending, costs, this.counts);
    this.endHold(admission, op);
    // A settled hold keeps its fixed costs, so those on quotas that do not charge this response are refunded
    // separately.
    if (op.kind === 'settle') this.enqueueSettlement(admission, refundOf(admission, ending, this.counts));
  }

  /** A replay of a response that was charged costs nothing. */
  private unlessReplayed(admission: Admission, ending: Ending, costs: Costs): Ending {
    const { replay, charges: asked } = admission;
    if (replay === undefined || !asked.items.some((item) => isPaid(item, ending, this.counts))) return ending;
    const free = replay.isMarked && replay.wasCharged;
    if (replay.isMarked) this.observer?.replayed(free);
    if (free) return UNSERVED;
    if (isPaidInFull(admission, ending, costs, this.counts)) replay.charged();
    return ending;
  }

  /** Tokens of a response that costs nothing are not counted either. */
  private count({ reader, charges: { items } }: Admission, ending: Ending): void {
    const { observer } = this;
    if (observer === undefined || reader?.report === undefined) return;
    if (!items.some((item) => item.kind === 'held' && isCharged(item, ending, this.counts))) return;
    const report = reader.report();
    if (report !== undefined) observer.counted(report);
  }

  private endHold(admission: Admission, op: Op): void {
    this.observer?.closed();
    this.enqueueSettlement(admission, op);
  }

  private enqueueSettlement({ org, cycle }: Admission, op: Op | undefined): void {
    if (op !== undefined) this.queue.enqueueSettlement(org, op, cycle).catch(this.onLost);
  }
}

/** Returns the fixed costs on quotas that do not charge this ending; undefined if all of them are charged. */
function refundOf(admission: Admission, ending: Ending, counts: Counts): Op | undefined {
  if (ending.kind === 'unseen') return undefined;
  const { user, groups, charges: charged, cycle, at, call, key } = admission;
  const back = charged.items.filter((item) => item.kind === 'fixed' && !isCharged(item, ending, counts));
  if (back.length === 0) return undefined;
  const what = back.length === charged.items.length ? charged : charges(charged.action, back, charged.model);
  const refund = { kind: 'refund', user, groups, charges: what, cycle, at, call } as const;
  return key === undefined ? refund : { ...refund, key: keyIdOf(key) };
}

function isCharged(item: ChargeItem, ending: Ending, counts: Counts): boolean {
  if (ending.kind === 'unseen') return true;
  return ending.kind === 'status' && counts(item.quota, ending.status);
}

function isPaid(item: ChargeItem, ending: Ending, counts: Counts): boolean {
  return item.kind !== 'gate' && isCharged(item, ending, counts);
}

/** If the response broke off or was estimated, its replay may bring more than was charged. */
function isPaidInFull(admission: Admission, ending: Ending, costs: Costs, counts: Counts): boolean {
  const { charges: asked, chargeLater } = admission;
  if (chargeLater !== undefined) return false;
  const costly = asked.items.filter(({ kind }) => kind !== 'gate');
  if (!costly.every((item) => isCharged(item, ending, counts))) return false;
  const held = costly.filter(({ kind }) => kind === 'held');
  if (held.length === 0) return true;
  const isKnown = held.every(
    (_, place) => costs[place]?.estimated === false && costs[place]?.partial !== true,
  );
  return isKnown && ending.kind === 'status' && ending.whole;
}

/** Releases the hold if nothing is charged; otherwise settles the cost of each item. */
function endOfHold(admission: Admission, ending: Ending, costs: Costs, counts: Counts): Op {
  const { hold, charges: charged } = admission;
  const none = !charged.items.some((item) => isPaid(item, ending, counts));
  if (none) return { kind: 'release', hold, keep: false };
  return { kind: 'settle', hold, ...chargesOf(admission, ending, costs, counts) };
}

/** Returns the true cost of each item, or the best known value; 0 if its quota does not charge this ending. */
function chargesOf(admission: Admission, ending: Ending, costs: Costs, counts: Counts): FinalCost {
  const { floors = [] } = admission;
  const items = admission.charges.items.filter((item) => item.kind !== 'gate');
  let estimated = false;
  const raws: (number | undefined)[] = [];
  let held = 0;
  const units = items.map((item, index) => {
    const charged = isCharged(item, ending, counts);
    if (item.kind === 'fixed') return charged ? item.units : 0;
    const place = held;
    held += 1;
    if (!charged) return 0;
    const floor = floors[place] ?? 0;
    const cost = costs[place];
    estimated ||= cost?.estimated ?? true;
    if (cost?.raw !== undefined) raws[index] = cost.raw;
    if (cost !== undefined && cost.partial !== true) return Math.max(floor, cost.units);
    const least = Math.max(floor, cost?.units ?? 0);
    // A client that disconnected is charged the floor. An upstream that broke off or stated no cost is charged the
    // hold.
    const left = ending.kind === 'unseen' || (ending.kind === 'status' && ending.clientGone);
    return left ? least : Math.max(least, item.units);
  });
  if (raws.length === 0) return { units, estimated };
  const model = modelKeyOf(admission.reader?.report?.()?.model ?? '');
  return { units, estimated, model, raws: items.map((_, index) => raws[index]) };
}
