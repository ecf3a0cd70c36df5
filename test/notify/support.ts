/** An org on a clocked ledger, and notifiers as replicas have them, with an SMTP server and a receiver of webhooks. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createOrg, type SeedOrg } from '../../src/admin/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { mailChannel } from '../../src/notify/channels/mail.js';
import { webhookChannel } from '../../src/notify/channels/webhook.js';
import type { Channels } from '../../src/notify/channels.js';
import { createNotifier, type Notifier } from '../../src/notify/notifier.js';
import type { Waiting } from '../../src/notify/observer.js';
import { charges } from '../../src/quota/charge.js';
import { applyNow } from '../admin/support.js';
import { type ClockedLedger, openClockedMemory, openClockedRedis, serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { startSmtp, type TestSmtp } from '../support/smtp.js';

const QUOTAS = {
  usage: { unit: 'units', decimals: 1 },
  ai: { unit: 'tokens', decimals: 0 },
};
const NOON = Date.parse('2026-05-22T10:00:00Z');
export const HOUR_MS = 3_600_000;

const ACME: SeedOrg = {
  name: 'Acme',
  cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' },
  plans: { usage: { allowance: 5_000, mode: 'hard' }, ai: { allowance: 1_000_000, mode: 'soft' } },
  groups: { eng: { name: 'Engineering' } },
  users: {
    boss: { name: 'The Boss', email: 'boss@example.com', role: 'admin' },
    ana: { name: 'Ana Smith', email: 'ana@example.com', groups: ['eng'] },
    bob: {},
  },
  limits: [
    { quota: 'usage', user: 'ana', units: 100 },
    { quota: 'usage', user: 'bob', units: 100 },
    { quota: 'usage', group: 'eng', units: 1_000 },
  ],
};

export interface Notes {
  readonly sent: string[];
  readonly failed: string[];
  readonly gaveUp: string[];
  unheard: number;
  waiting: Waiting | undefined;
}

export interface Replica {
  readonly notifier: Notifier;
  readonly notes: Notes;
}

export class Notified {
  now = NOON;

  constructor(
    readonly t: Test,
    readonly smtp: TestSmtp,
    private readonly clocked: ClockedLedger,
  ) {}

  get ledger(): Ledger {
    return this.clocked.ledger;
  }

  async wait(ms: number): Promise<void> {
    this.now += ms;
    await this.clocked.setClock(this.now);
  }

  /** One request; `units` in the quota's inner units. */
  async use(user: string, units: number, quota = 'usage', action = 'maps'): Promise<string> {
    const cost = charges(action, [{ quota, units, kind: 'fixed' }]);
    const op = { kind: 'reserve', user, claims: '', charges: cost, hold: '', ttlMs: 60_000 } as const;
    const [result] = (await applyNow(this.ledger, 'acme', [op])).results;
    return result?.status ?? '';
  }

  replica({
    channels,
    ledger = this.ledger,
  }: {
    channels?: Partial<Channels>;
    ledger?: Ledger;
  } = {}): Replica {
    const notes: Notes = { sent: [], failed: [], gaveUp: [], unheard: 0, waiting: undefined };
    const hooks = webhookChannel({ allow: ['127.0.0.1'], timeoutMs: 2_000 });
    const mails = mailChannel(this.smtp.mailOptions);
    const notifier = createNotifier({
      ledger,
      quotas: new Map(Object.entries(QUOTAS)),
      channels: {
        mail: mails.mail,
        webhook: hooks.webhook,
        ...channels,
        close() {
          mails.close();
          hooks.close();
        },
      },
      consoleUrl: 'https://quota.example.com/console/',
      observer: {
        sent: (channel, notices) => notes.sent.push(`${channel} ${notices}`),
        failed: (_channel, error) => notes.failed.push(error),
        gaveUp: (_org, _channel, error) => notes.gaveUp.push(error),
        unheard(_org, notices) {
          notes.unheard += notices;
        },
        waiting(_org, waiting) {
          notes.waiting = waiting;
        },
      },
      onError: (error) => this.t.fail(String(error)),
      failedKeptMs: 30 * 24 * HOUR_MS,
    });
    this.t.teardown(() => notifier.close());
    return { notifier, notes };
  }

  /** As maintenance does it: looks while there is work that is due. */
  async settle(...replicas: readonly Replica[]): Promise<void> {
    for (;;) {
      const work = await this.ledger.pendingWork('acme');
      const isDue = work !== undefined && work.noticesDue !== 0 && work.noticesDue <= work.now;
      if (work?.firstNotice === '' && !isDue) return;
      for (const { notifier } of replicas) notifier.look('acme');
      await delay(5);
    }
  }

  async put(field: string, value: unknown): Promise<void> {
    const changes = [[field, JSON.stringify(value)]] as const;
    await this.ledger.stepNotices('acme', { expects: [], changes, events: [] });
  }

  async events() {
    const entries = await this.ledger.log('acme', 'events', '', 10_000);
    return entries.map(({ text }) => JSON.parse(text));
  }
}

let count = 0;

/** The same behaviour on both ledgers. */
export function onBothNotified(
  guarantee: string,
  behaviour: (t: Test, notified: Notified) => Promise<void>,
  seed: Partial<SeedOrg> = {},
): void {
  const openers = {
    embedded: () => openClockedMemory(),
    redis: async () => {
      count += 1;
      return openClockedRedis((await serverOfFile()).url, `notified${count}`);
    },
  };
  for (const [name, open] of Object.entries(openers)) {
    const skip = name === 'redis' && skipWithoutRedis;
    t.test(`${guarantee} (${name})`, { skip }, async (test) => {
      const clocked = await open();
      test.teardown(() => clocked.close());
      const notified = new Notified(test, await startSmtp(test), clocked);
      await notified.wait(0);
      await createOrg(clocked.ledger, { id: 'acme', seed: { ...ACME, ...seed }, quotas: QUOTAS });
      await behaviour(test, notified);
    });
  }
}
