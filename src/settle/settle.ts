/** The last room: what becomes of the charge once it is known how the request ended. */

import type { Op, Result } from '../ledger/port.js';
import { type ChargeItem, type Charges, charges } from '../quota/charge.js';
import type { Admission, Debts } from './admission.js';
import { HoldKeeper } from './hold-keeper.js';

/**
 * How the request ended. `status`: the upstream's status is known; `whole`: its body passed to its end; `clientGone`: the
 * client left before that. `unserved`: it was never sent, or the upstream gave no status. `unseen`: it was sent, and the
 * client left before a status came.
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

/** Whether an answer with this status is charged on this quota. */
export type Counts = (quota: string, status: number) => boolean;

export interface Settle {
  /** A request goes on its way: a hold that it left is renewed while it lasts. */
  begin(admission: Admission): void;
  end(admission: Admission, ending: Ending): void;
  close(): void;
}

/** A hold outlives its gateway by this long at most; it is renewed three times in that span. */
export const HOLD_TTL_MS = 60_000;

/** Told of holds, and of what was charged beyond them; left out, it costs nothing. */
export interface HoldWatch {
  opened(): void;
  closed(): void;
  overshoot(quota: string, units: number): void;
}

/** `onLost` hears of what the store could not be told. */
export function settler(
  debts: Debts,
  counts: Counts,
  onLost: (error: unknown) => void,
  watch?: HoldWatch,
): Settle {
  const keeper = new HoldKeeper(debts, HOLD_TTL_MS, onLost);
  const owe = (admission: Admission, op: Op | undefined): void => {
    if (op !== undefined) debts.owe(admission.org, op, admission.cycle).catch(onLost);
  };
  const settleHold = (admission: Admission, op: Op): void => {
    if (watch === undefined) {
      owe(admission, op);
      return;
    }
    watch.closed();
    const { org, charges: charged, cycle } = admission;
    debts.owe(org, op, cycle).then(({ result }) => tellOvershoot(watch, charged, result), onLost);
  };
  return {
    begin(admission) {
      if (admission.hold === '') return;
      keeper.add(admission);
      watch?.opened();
    },
    end(admission, ending) {
      if (admission.chargeLater !== undefined) {
        const { units, estimated } = costsOf(admission, ending, counts);
        admission.chargeLater(units, estimated);
        return;
      }
      if (admission.hold === '') {
        owe(admission, refundOf(admission, ending, counts));
        return;
      }
      keeper.delete(admission);
      const op = endOfHold(admission, ending, counts);
      settleHold(admission, op);
      // A settled hold keeps its fixed costs: those on quotas that do not charge this answer go back apart.
      if (op.kind === 'settle') owe(admission, refundOf(admission, ending, counts));
    },
    close: () => keeper.close(),
  };
}

function tellOvershoot(watch: HoldWatch, { items }: Charges, result: Result): void {
  if (result.status !== 'settled') return;
  const settled = items.filter((item) => item.kind !== 'gate');
  for (const [index, { quota }] of settled.entries()) {
    const units = result.overshoot[index] ?? 0;
    if (units > 0) watch.overshoot(quota, units);
  }
}

/** The fixed costs on quotas that do not charge this ending; undefined where all stand. */
function refundOf(admission: Admission, ending: Ending, counts: Counts): Op | undefined {
  if (ending.kind === 'unseen') return undefined;
  const { user, groups, charges: charged, cycle, at } = admission;
  const back = charged.items.filter((item) => item.kind === 'fixed' && !isCharged(item, ending, counts));
  if (back.length === 0) return undefined;
  const what = back.length === charged.items.length ? charged : charges(charged.action, back);
  return { kind: 'refund', user, groups, charges: what, cycle, at };
}

function isCharged(item: ChargeItem, ending: Ending, counts: Counts): boolean {
  if (ending.kind === 'unseen') return true;
  return ending.kind === 'status' && counts(item.quota, ending.status);
}

/** All of it back where nothing is charged; else what each item cost. */
function endOfHold(admission: Admission, ending: Ending, counts: Counts): Op {
  const { hold, charges: charged } = admission;
  const none = !charged.items.some((item) => item.kind !== 'gate' && isCharged(item, ending, counts));
  if (none) return { kind: 'release', hold, keep: false };
  return { kind: 'settle', hold, ...costsOf(admission, ending, counts) };
}

interface Costs {
  /** By item that is no gate. */
  readonly units: readonly number[];
  readonly estimated: boolean;
}

/** The true cost of each item, or the best that is known of it; 0 where its quota does not charge this ending. */
function costsOf(admission: Admission, ending: Ending, counts: Counts): Costs {
  const { evidence, floors = [] } = admission;
  const items = admission.charges.items.filter((item) => item.kind !== 'gate');
  const whole = ending.kind === 'status' && ending.whole;
  const costs = evidence?.costs(whole) ?? [];
  let estimated = false;
  let held = 0;
  const units = items.map((item) => {
    const charged = isCharged(item, ending, counts);
    if (item.kind === 'fixed') return charged ? item.units : 0;
    const place = held;
    held += 1;
    if (!charged) return 0;
    const floor = floors[place] ?? 0;
    const cost = costs[place];
    if (cost !== undefined) return Math.max(floor, cost);
    estimated = true;
    // A client that left is charged the floor; an upstream that broke off or told no cost, what was held.
    const left = ending.kind === 'unseen' || (ending.kind === 'status' && ending.clientGone);
    return left ? floor : Math.max(floor, item.units);
  });
  return { units, estimated };
}
