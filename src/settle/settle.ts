/** The last room: what becomes of the charge once it is known how the request ended. */

import type { Op } from '../ledger/port.js';
import { type ChargeItem, charges } from '../quota/charge.js';
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

/** `onLost` hears of what the store could not be told. */
export function settler(debts: Debts, counts: Counts, onLost: (error: unknown) => void): Settle {
  const keeper = new HoldKeeper(debts, HOLD_TTL_MS, onLost);
  const owe = (admission: Admission, op: Op | undefined): void => {
    if (op !== undefined) debts.owe(admission.org, op, admission.cycle).catch(onLost);
  };
  return {
    begin(admission) {
      if (admission.hold !== '') keeper.add(admission);
    },
    end(admission, ending) {
      if (admission.hold === '') {
        owe(admission, refundOf(admission, ending, counts));
        return;
      }
      keeper.delete(admission);
      const op = endOfHold(admission, ending, counts);
      owe(admission, op);
      // A settled hold keeps its fixed costs: those on quotas that do not charge this answer go back apart.
      if (op.kind === 'settle') owe(admission, refundOf(admission, ending, counts));
    },
    close: () => keeper.close(),
  };
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

/** All of it back where nothing is charged; else the true cost of each item, or the best that is known of it. */
function endOfHold(admission: Admission, ending: Ending, counts: Counts): Op {
  const { hold, evidence, floors = [] } = admission;
  const items = admission.charges.items.filter((item) => item.kind !== 'gate');
  if (!items.some((item) => isCharged(item, ending, counts))) return { kind: 'release', hold, keep: false };
  const whole = ending.kind === 'status' && ending.whole;
  const costs = evidence?.costs(whole) ?? [];
  let estimated = false;
  let held = 0;
  const units = items.map((item) => {
    if (item.kind === 'fixed') return item.units;
    const place = held;
    held += 1;
    if (!isCharged(item, ending, counts)) return 0;
    const floor = floors[place] ?? 0;
    const cost = costs[place];
    if (cost !== undefined) return Math.max(floor, cost);
    estimated = true;
    // A client that left is charged the floor; an upstream that broke off or told no cost, what was held.
    const left = ending.kind === 'unseen' || (ending.kind === 'status' && ending.clientGone);
    return left ? floor : Math.max(floor, item.units);
  });
  return { kind: 'settle', hold, units, estimated };
}
