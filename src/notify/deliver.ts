/** Attempts the deliveries that are due, and says when the next one is. */
import type { Ledger, NoticeField } from '../ledger/port.js';
import { NOTICES_DUE } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import { type Channels, DeliveryError } from './channels.js';
import type { Message } from './content/message.js';
import {
  afterFailure,
  batchField,
  type Delivery,
  deliveriesIn,
  isWaiting,
  type PlacedDelivery,
} from './deliveries.js';
import type { Notice } from './notice.js';
import type { Channel, NoticeObserver } from './observer.js';
import { targetIn } from './targets.js';
import { webhookField, webhookIn } from './webhooks.js';

/** The org's time. */
export type Clock = () => number;

export interface DeliverOptions {
  readonly ledger: Ledger;
  readonly channels: Channels;
  readonly observer: NoticeObserver;
  readonly failedKeptMs: number;
  readonly messageOf: (org: string, now: number, notices: readonly Notice[]) => Promise<Message>;
}

interface Run {
  readonly org: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const TARGETS_AT_ONCE = 8;

export async function deliverDue(options: DeliverOptions, run: Run): Promise<void> {
  const now = run.clock();
  const table = await scanAll(options.ledger, run.org, 'notices');
  const due = new Map<string, PlacedDelivery[]>();
  for (const one of deliveriesIn(table).list) {
    if (!isWaiting(one) || one.delivery.nextAt > now) continue;
    due.set(one.delivery.target, [...(due.get(one.delivery.target) ?? []), one]);
  }
  const targets = [...due.values()];
  const worker = async (): Promise<void> => {
    for (let next = targets.pop(); next !== undefined; next = targets.pop())
      await deliverTo(options, run, next);
  };
  const results = await Promise.allSettled(Array.from({ length: TARGETS_AT_ONCE }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** The deliveries of one target, until one fails: the others then wait as long as that one. New ones come first. */
async function deliverTo(options: DeliverOptions, run: Run, due: readonly PlacedDelivery[]): Promise<void> {
  const ordered = [...due].sort((a, b) => a.delivery.attempts - b.delivery.attempts);
  let failed: Delivery | undefined;
  for (const one of ordered) {
    if (run.signal.aborted) return;
    if (failed === undefined || failed.nextAt === 0) failed = await attempt(options, run, one);
    else {
      const later = { ...one.delivery, nextAt: failed.nextAt };
      await change({ ledger: options.ledger, org: run.org }, one, later);
    }
  }
}

/** Returns what the delivery became if it failed. */
async function attempt(
  options: DeliverOptions,
  run: Run,
  placed: PlacedDelivery,
): Promise<Delivery | undefined> {
  const { ledger, observer } = options;
  const { org, clock } = run;
  const attempted = { ...placed.delivery, attempts: placed.delivery.attempts + 1 };
  // From now on its content stays: a repetition after a kill says the same under the same id.
  const sealed = await change({ ledger, org }, placed, attempted);
  if (sealed === undefined) return undefined;
  const target = targetIn(attempted.target);
  const channel: Channel = 'email' in target ? 'email' : 'webhook';
  try {
    await send(options, run, sealed);
    await change({ ledger, org }, sealed, null);
    observer.sent(channel, attempted.notices);
    return undefined;
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const failed = afterFailure(attempted, { now: clock(), error: error.message, final: error.final });
    await change({ ledger, org }, sealed, failed);
    observer.failed(channel, error.message);
    if (failed.nextAt === 0) observer.gaveUp(org, channel, error.message);
    return failed;
  }
}

async function send(
  { ledger, channels, messageOf }: DeliverOptions,
  { org, clock }: Run,
  { id, delivery }: PlacedDelivery,
): Promise<void> {
  const target = targetIn(delivery.target);
  const webhook = 'webhook' in target ? webhookField(target.webhook) : '';
  const fields = [...delivery.batches.map(batchField), webhook];
  const [values = []] = (await ledger.read(org, [{ table: 'notices', fields }])).values;
  const notices = values.slice(0, -1).flatMap((text) => JSON.parse(text ?? '[]') as Notice[]);
  // A message without notices would be a test message.
  if (notices.length === 0 && delivery.invitation === undefined)
    throw new DeliveryError('its notices are no longer kept', true);
  const { invitation } = delivery;
  const message = { ...(await messageOf(org, clock(), notices)), invitation };
  if ('email' in target) {
    if (channels.mail === undefined) throw new DeliveryError('the config has no smtp');
    return channels.mail(target.email, id, message);
  }
  const text = values.at(-1);
  const found = text === null || text === undefined ? undefined : webhookIn(target.webhook, text);
  if (found === undefined || !found.enabled)
    throw new DeliveryError('the webhook was deleted or disabled', true);
  return channels.webhook(found, id, message);
}

/** Undefined: the delivery is no longer what it was, or it is deleted now. */
async function change(
  { ledger, org }: { readonly ledger: Ledger; readonly org: string },
  { id, field, text }: PlacedDelivery,
  delivery: Delivery | null,
): Promise<PlacedDelivery | undefined> {
  const next = delivery === null ? null : JSON.stringify(delivery);
  const step = { expects: [[field, text]], changes: [[field, next]], events: [] } as const;
  const isDone = await ledger.stepNotices(org, step);
  return isDone && delivery !== null && next !== null ? { id, field, text: next, delivery } : undefined;
}

/** Removes what nothing refers to any more, and notes when the next delivery is due. */
export async function finish(options: DeliverOptions, { org, clock }: Omit<Run, 'signal'>): Promise<void> {
  const { ledger, observer, failedKeptMs } = options;
  for (;;) {
    const now = clock();
    const table = await scanAll(ledger, org, 'notices');
    const { list, batches } = deliveriesIn(table);
    const isOld = ({ delivery }: PlacedDelivery): boolean => delivery.giveUpAt + failedKeptMs <= now;
    const outdated = list.filter((one) => !isWaiting(one) && isOld(one));
    const kept = list.filter((one) => !outdated.includes(one));
    const used = new Set(kept.flatMap(({ delivery }) => delivery.batches));
    const unused = [...batches].filter((batch) => !used.has(batch));
    const waiting = kept.filter(isWaiting).map(({ delivery }) => delivery);
    const nextAt = Math.min(...waiting.map((delivery) => delivery.nextAt));
    const forgetAt = kept
      .filter((one) => !isWaiting(one))
      .map(({ delivery }) => delivery.giveUpAt + failedKeptMs);
    const due = kept.length === 0 ? null : String(Math.min(nextAt, ...forgetAt));
    const expects: NoticeField[] = [[NOTICES_DUE, table.get(NOTICES_DUE) ?? null]];
    const gone = [...outdated.map(({ field }) => field), ...unused.map(batchField)];
    const changes: NoticeField[] = [[NOTICES_DUE, due], ...gone.map((field): NoticeField => [field, null])];
    if (!(await ledger.stepNotices(org, { expects, changes, events: [] }))) continue;
    const oldestAt = Math.min(...waiting.map(({ createdAt }) => createdAt));
    observer.waiting(
      org,
      waiting.length === 0 ? undefined : { deliveries: waiting.length, oldestAt, nextAt },
    );
    return;
  }
}
