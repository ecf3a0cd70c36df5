/** An org on a clocked ledger, and exporters as replicas have them. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { createExporter, type Exporter } from '../../src/export/exporter.js';
import type { Target } from '../../src/export/target.js';
import { decodeExport, type ExportState } from '../../src/ledger/journal-export.js';
import type { Ledger, Op } from '../../src/ledger/port.js';
import { claimStore } from '../../src/ledger/store-meta.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { applyNow } from '../admin/support.js';
import { EventReceiver } from '../support/event-receiver.js';
import { type ClockedLedger, openClockedMemory, openClockedRedis, serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

export const QUOTAS = {
  usage: { unit: 'units', decimals: 1 },
  ai: { unit: 'tokens', decimals: 0 },
};
export const NOON = Date.parse('2026-05-22T10:00:00Z');
const WAITED_MAX_MS = 10_000;

export interface Notes {
  readonly sent: number[];
  readonly failed: string[];
  lost: number;
  lagging: boolean;
}

export interface Replica {
  readonly exporter: Exporter;
  readonly notes: Notes;
}

interface ReplicaOptions {
  readonly targets: readonly Target[];
  readonly keepBytes?: number;
  readonly quotas?: Readonly<Partial<typeof QUOTAS>>;
}

export class Exported {
  now = NOON;

  constructor(
    readonly t: Test,
    private readonly clocked: ClockedLedger,
  ) {}

  get ledger(): Ledger {
    return this.clocked.ledger;
  }

  async wait(ms: number): Promise<void> {
    this.now += ms;
    await this.clocked.setClock(this.now);
  }

  async call(...ops: readonly Op[]): Promise<void> {
    const reply = await applyNow(this.ledger, 'acme', ops);
    if (reply.code !== 'ok') throw new Error(`the org answered ${reply.code}`);
  }

  /** One request; `units` in the quota's inner units. */
  use(user: string, units: number, quota = 'usage'): Promise<void> {
    const cost = charges('maps', [{ quota, units, kind: 'fixed' }]);
    return this.call({ kind: 'reserve', user, claims: '', charges: cost, hold: '', ttlMs: 60_000 });
  }

  replica({ targets, keepBytes = 100_000_000, quotas = QUOTAS }: ReplicaOptions): Replica {
    const notes: Notes = { sent: [], failed: [], lost: 0, lagging: false };
    const exporter = createExporter({
      ledger: this.ledger,
      quotas: new Map(Object.entries(quotas)),
      targets,
      source: 'test',
      keepBytes,
      observer: {
        sent: (_target, events) => notes.sent.push(events),
        failed: (_target, _org, error) => notes.failed.push(error),
        lost(_target, _org, entries) {
          notes.lost += entries;
        },
        lag(_target, _org, lag) {
          notes.lagging = lag !== undefined;
        },
      },
      onError: (error) => this.t.fail(String(error)),
    });
    this.t.teardown(() => exporter.close());
    return { exporter, notes };
  }

  /** A visit of maintenance by each replica. */
  async visit(...replicas: readonly Replica[]): Promise<void> {
    for (const { exporter } of replicas) {
      const work = await this.ledger.pendingWork('acme');
      if (work !== undefined) exporter.look('acme', work);
    }
  }

  /** Visits until it is so. */
  async until(isSo: () => boolean | Promise<boolean>, ...replicas: readonly Replica[]): Promise<void> {
    const from = performance.now();
    while (!(await isSo())) {
      if (performance.now() - from > WAITED_MAX_MS) throw new Error('waited too long');
      await this.visit(...replicas);
      await delay(10);
    }
  }

  /** Visits until the targets have everything. */
  settle(...replicas: readonly Replica[]): Promise<void> {
    return this.until(
      async () => {
        const { exports = [] } = (await this.ledger.pendingWork('acme')) ?? {};
        return exports.length > 0 && exports.every(({ firstWaiting }) => firstWaiting === '');
      },
      ...replicas,
    );
  }

  fold(): Promise<number> {
    return foldJournal(this.ledger, 'acme');
  }

  /** What the org notes of a target. */
  async noted(target: string): Promise<ExportState | undefined> {
    const { values } = await this.ledger.read('acme', [{ table: 'exports', fields: [target] }]);
    const text = values[0]?.[0] ?? undefined;
    return text === undefined ? undefined : decodeExport(text);
  }

  async journalLength(): Promise<number> {
    return (await this.ledger.log('acme', 'journal', '', 100_000)).length;
  }

  async receiver(): Promise<EventReceiver> {
    const receiver = await new EventReceiver().start();
    this.t.teardown(() => receiver.stop());
    return receiver;
  }
}

let count = 0;

/** The same behaviour on both ledgers. */
export function onBothExported(
  guarantee: string,
  behaviour: (t: Test, exported: Exported) => Promise<void>,
): void {
  const openers = {
    embedded: () => openClockedMemory(),
    redis: async () => {
      count += 1;
      return openClockedRedis((await serverOfFile()).url, `exported${count}`);
    },
  };
  for (const [name, open] of Object.entries(openers)) {
    const skip = name === 'redis' && skipWithoutRedis;
    t.test(`${guarantee} (${name})`, { skip }, async (test) => {
      const clocked = await open();
      test.teardown(() => clocked.close());
      const exported = new Exported(test, clocked);
      await exported.wait(0);
      await claimStore(clocked.ledger, QUOTAS);
      const cycle = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' } as const;
      const plans = {
        usage: { allowance: 5_000, mode: 'hard' },
        ai: { allowance: 1_000_000, mode: 'soft' },
      } as const;
      const groups = { eng: { name: 'Engineering' } };
      const users = { ana: { groups: ['eng'] }, bob: {} };
      const seed = { name: 'Acme', cycle, plans, groups, users, limits: [] };
      await createOrg(clocked.ledger, { id: 'acme', seed, quotas: QUOTAS });
      await behaviour(test, exported);
    });
  }
}
