/**
 * What table `notices` holds of deliveries. A batch is the notices of one intake; a delivery brings batches to one target. Each delivery
 * has one message, whose id is the delivery's: it is the same at each attempt.
 */
import { randomUUID } from 'node:crypto';
import type { NoticeField } from '../ledger/port.js';
import type { Notice } from './notice.js';

const DELIVERY = 'delivery:';
const BATCH = 'batch:';

export interface Invitation {
  readonly user: string;
  readonly name: string;
  /** Who invites. */
  readonly by: string;
}

export interface Delivery {
  /** `email:<address>` or `webhook:<id>`. */
  readonly target: string;
  readonly batches: readonly string[];
  readonly notices: number;
  /** Of an invitation, which has no notices. */
  readonly invitation?: Invitation;
  readonly createdAt: number;
  /** Once attempted, its content stays as it is. */
  readonly attempts: number;
  /** When it is attempted next; 0: it failed for good, and waits to be sent again by hand. */
  readonly nextAt: number;
  /** Attempts fail until this time before the delivery is given up. */
  readonly giveUpAt: number;
  /** Of the last attempt. */
  readonly error: string;
}

export interface PlacedDelivery {
  readonly id: string;
  readonly field: string;
  readonly text: string;
  readonly delivery: Delivery;
}

export interface Deliveries {
  readonly list: readonly PlacedDelivery[];
  readonly batches: ReadonlySet<string>;
}

export function deliveryField(id: string): string {
  return DELIVERY + id;
}

export function batchField(id: string): string {
  return BATCH + id;
}

export function deliveriesIn(table: ReadonlyMap<string, string>): Deliveries {
  const list: PlacedDelivery[] = [];
  const batches = new Set<string>();
  for (const [field, text] of table) {
    if (field.startsWith(BATCH)) batches.add(field.slice(BATCH.length));
    if (field.startsWith(DELIVERY)) list.push(placedDelivery(field, text));
  }
  list.sort((a, b) => a.delivery.createdAt - b.delivery.createdAt || (a.id < b.id ? -1 : 1));
  return { list, batches };
}

export function placedDelivery(field: string, text: string): PlacedDelivery {
  return { id: field.slice(DELIVERY.length), field, text, delivery: JSON.parse(text) as Delivery };
}

export function isWaiting({ delivery }: PlacedDelivery): boolean {
  return delivery.nextAt > 0;
}

export function newBatch(notices: readonly Notice[]): { readonly id: string; readonly change: NoticeField } {
  const id = randomUUID();
  return { id, change: [batchField(id), JSON.stringify(notices)] };
}

/** A message holds at most this many notices. */
const NOTICES_MAX = 500;
/** A delivery to a target that fails at present waits for others at most this long. */
const TOGETHER_MS = 300_000;

interface Addition {
  readonly batch: string;
  readonly notices: number;
  readonly now: number;
  /** How long a delivery is attempted. */
  readonly keepMs: number;
}

/** Adds a batch to the delivery to `target` that was not attempted yet, or to a new one. */
export function addTo(
  { list }: Deliveries,
  target: string,
  { batch, notices, now, keepMs }: Addition,
): { readonly expects: readonly NoticeField[]; readonly change: NoticeField } {
  const waiting = list.filter((one) => one.delivery.target === target && isWaiting(one));
  const open = waiting.find(
    ({ delivery }) =>
      delivery.attempts === 0 &&
      delivery.invitation === undefined &&
      delivery.notices + notices <= NOTICES_MAX,
  );
  if (open !== undefined) {
    const { delivery, field, text } = open;
    const grown = {
      ...delivery,
      batches: [...delivery.batches, batch],
      notices: delivery.notices + notices,
    };
    return { expects: [[field, text]], change: [field, JSON.stringify(grown)] };
  }
  // While the target fails, notices are collected for one message.
  const failing = waiting.filter(({ delivery }) => delivery.attempts > 0);
  const retryAt = Math.min(now + TOGETHER_MS, ...failing.map(({ delivery }) => delivery.nextAt));
  const field = deliveryField(randomUUID());
  const delivery: Delivery = {
    target,
    batches: [batch],
    notices,
    createdAt: now,
    attempts: 0,
    nextAt: failing.length === 0 ? now : Math.max(now, retryAt),
    giveUpAt: now + keepMs,
    error: '',
  };
  return { expects: [[field, null]], change: [field, JSON.stringify(delivery)] };
}

/** Attempts go on for this long. */
export const KEEP_MS = 3 * 24 * 3_600_000;
const FIRST_WAIT_MS = 5_000;
const WAIT_MAX_MS = 3_600_000;
const SPREAD = 0.2;

/** The wait after an attempt that failed: doubled each time up to an hour, and spread, so that not all come at once. */
function backoffMs(attempts: number): number {
  const wait = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(wait * (1 - SPREAD * Math.random()));
}

/** What a delivery becomes after a failure. `final`: another attempt cannot succeed. */
export function afterFailure(
  delivery: Delivery,
  { now, error, final }: { readonly now: number; readonly error: string; readonly final: boolean },
): Delivery {
  const given = final || now >= delivery.giveUpAt;
  return { ...delivery, error, nextAt: given ? 0 : now + backoffMs(delivery.attempts) };
}
