/**
 * Delivers the notices of the orgs that maintenance hands over. One process at a time works on an org, under a lease. A step of the ledger
 * moves queued notices into deliveries; each delivery is marked as attempted before it is sent, and deleted when it has arrived. So a kill
 * loses nothing, and repeats at most what was in flight, with the same message id.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type Ledger, StoreError } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import { readOrg } from '../ledger/view/org-view.js';
import { withLease } from '../ledger/with-lease.js';
import type { Quotas } from '../quota/units.js';
import type { Channels } from './channels.js';
import type { Message } from './content/message.js';
import { type Clock, deliverDue, finish } from './deliver.js';
import { KEEP_MS } from './deliveries.js';
import { takeNotices } from './intake.js';
import type { NoticeObserver } from './observer.js';
import { SETTINGS, settingsIn } from './settings.js';
import { addressesOf, targetIn, targetsOf } from './targets.js';
import { webhookField, webhookIn } from './webhooks.js';

export interface NotifierOptions {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  readonly channels: Channels;
  readonly consoleUrl?: string | undefined;
  readonly observer: NoticeObserver;
  readonly onError: (error: unknown) => void;
  /** How long a given-up delivery can be sent again. */
  readonly failedKeptMs: number;
}

export interface Notifier {
  /** Begins to deliver the org's notices, unless that is under way. */
  look(org: string): void;
  /** Sends a test message now, without a retry. Rejects with a `DeliveryError`. */
  test(org: string, target: string): Promise<void>;
  /** Whether e-mail can be sent. */
  readonly hasMail: boolean;
  /** Ends after the deliveries in flight. */
  close(): Promise<void>;
}

const ORGS_AT_ONCE = 8;
const CLOSE_MS = 5_000;
/** The addresses of admins are read from the whole directory: at most once in this time. */
const TARGETS_MS = 10_000;
const TARGETS_MAX = 1_000;

export function createNotifier(options: NotifierOptions): Notifier {
  const { ledger, quotas, channels, onError, observer } = options;
  const holder = randomUUID();
  const running = new Map<string, Promise<void>>();
  const addresses = new LRUCache<string, Promise<string[]>>({ max: TARGETS_MAX, ttl: TARGETS_MS });
  const stop = new AbortController();
  const deliverOptions = { ...options, messageOf };

  async function messageOf(org: string, now: number, notices: Message['notices']): Promise<Message> {
    const { name } = await readOrg({ ledger, quotas }, org);
    return { org, orgName: name, at: now, notices, consoleUrl: options.consoleUrl };
  }

  function targets(org: string, table: ReadonlyMap<string, string>): Promise<string[]> {
    const text = table.get(SETTINGS);
    const key = `${org}|${text ?? ''}`;
    const known = addresses.get(key) ?? addressesOf(ledger, org, settingsIn(text));
    addresses.set(key, known, { noUpdateTTL: true });
    known.catch(() => addresses.delete(key));
    return targetsOf(table, channels.mail === undefined ? [] : known);
  }

  const intake = {
    ledger,
    quotas,
    keepMs: KEEP_MS,
    targetsOf: targets,
    onUnheard: (org: string, notices: number) => observer.unheard(org, notices),
  };

  async function work(org: string, signal: AbortSignal): Promise<void> {
    for (let isLast = false; !isLast && !signal.aborted; )
      ({ isLast } = await takeNotices(intake, org, await scanAll(ledger, org, 'notices')));
    const clock = await clockOf(ledger, org);
    await deliverDue(deliverOptions, { org, clock, signal });
    if (!signal.aborted) await finish(deliverOptions, { org, clock });
  }

  async function run(org: string): Promise<void> {
    const lease = { job: `notices:${org}`, holder };
    const isOurs = await withLease(ledger, lease, (lost) => work(org, AbortSignal.any([stop.signal, lost])));
    if (!isOurs) observer.waiting(org, undefined);
  }

  return {
    hasMail: channels.mail !== undefined,
    look(org) {
      if (stop.signal.aborted || running.has(org) || running.size >= ORGS_AT_ONCE) return;
      const done = run(org)
        .catch((error) => {
          // The org is visited again in a second; the state of the store has its own metrics.
          if (!(error instanceof StoreError)) onError(error);
        })
        .finally(() => running.delete(org));
      running.set(org, done);
    },
    async test(org, text) {
      const target = targetIn(text);
      const message = await messageOf(org, (await ledger.read(org, [])).now, []);
      const id = randomUUID();
      if ('email' in target) return channels.mail?.(target.email, id, message);
      const field = webhookField(target.webhook);
      const { values } = await ledger.read(org, [{ table: 'notices', fields: [field] }]);
      const webhook = webhookIn(target.webhook, values[0]?.[0] ?? '');
      return channels.webhook(webhook, id, message);
    },
    async close() {
      stop.abort();
      await Promise.race([Promise.all(running.values()), delay(CLOSE_MS, undefined, { ref: false })]);
      channels.close();
    },
  };
}

/** The org's time from now on. */
async function clockOf(ledger: Ledger, org: string): Promise<Clock> {
  const { now } = await ledger.read(org, []);
  const readAt = performance.now();
  return () => now + Math.round(performance.now() - readAt);
}
