/** The last room: what becomes of the charge once it is known how the request ended. */

import type { Op } from '../ledger/port.js';
import { type Charges, charges } from '../quota/charge.js';

/** Takes operations that the store must be told, and tells it until it has confirmed. */
export interface Debts {
  owe(org: string, op: Op, cycle: number): Promise<unknown>;
}

/** What a request was admitted with: a refund names all of it. */
export interface Admission {
  readonly org: string;
  readonly user: string;
  /** Tokens of the groups that were charged. */
  readonly groups: string;
  readonly charges: Charges;
  /** Start of the cycle of the admission, and its time. */
  readonly cycle: number;
  readonly at: number;
}

/**
 * How the request ended. `status`: the upstream's status is known. `unserved`: it was never sent, or the upstream gave no
 * status. `unseen`: it was sent, and the client left before a status came.
 */
export type Ending =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'unserved' | 'unseen' };

/** Whether an answer with this status is charged on this quota. */
export type Counts = (quota: string, status: number) => boolean;

export type Settle = (admission: Admission, ending: Ending) => void;

/** Fixed costs stand since admission: only what does not count is given back. `onLost` hears of a refund that failed. */
export function settler(debts: Debts, counts: Counts, onLost: (error: unknown) => void): Settle {
  return (admission, ending) => {
    const back = toGiveBack(admission.charges, ending, counts);
    if (back === undefined) return;
    const { org, user, groups, cycle, at } = admission;
    debts.owe(org, { kind: 'refund', user, groups, charges: back, cycle, at }, cycle).catch(onLost);
  };
}

/** The fixed costs on quotas that do not charge this ending; undefined where all stand. */
function toGiveBack(charged: Charges, ending: Ending, counts: Counts): Charges | undefined {
  if (ending.kind === 'unseen') return undefined;
  const status = ending.kind === 'status' ? ending.status : undefined;
  const back = charged.items.filter(
    (item) => item.kind === 'fixed' && (status === undefined || !counts(item.quota, status)),
  );
  if (back.length === 0) return undefined;
  return back.length === charged.items.length ? charged : charges(charged.action, back);
}
