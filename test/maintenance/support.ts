/** A ledger of its own with an injected clock, whose calls are counted, and maintenance over it. */
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { HISTORY_RETENTION } from '../../src/history/retention.js';
import type { Ledger } from '../../src/ledger/port.js';
import { maintenanceRounds } from '../../src/maintenance/rounds.js';
import {
  BEGIN_MS,
  type ClockedLedger,
  openClockedMemory,
  openClockedRedis,
  type Setup,
  serverOfFile,
  TestOrg,
} from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

export type Calls = Record<string, number>;

/** Counts calls of the port by name. */
function counted(ledger: Ledger, calls: Calls): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return value.apply(target, args);
      };
    },
  });
}

/** How long logs are kept here. */
export const LOGS_KEPT = { auditMs: 30 * 60_000, eventsMs: 20 * 60_000, systemOrgs: ['*tokens*'] };
const EVERY_MS = 1_000;
export const RETENTION = HISTORY_RETENTION;

export class Maintained {
  readonly calls: Calls = {};
  readonly errors: unknown[] = [];
  /** Orgs, each time that one is cleaned. */
  readonly cleaned: string[] = [];
  expired = 0;
  now = BEGIN_MS;
  private readonly maintenance;

  /** `storeCalls`: calls of scripts, as the store counts them. */
  constructor(
    private readonly clocked: ClockedLedger,
    readonly storeCalls: () => Promise<number>,
  ) {
    const ledger = counted(clocked.ledger, this.calls);
    this.maintenance = maintenanceRounds({
      ledger,
      everyMs: EVERY_MS,
      history: RETENTION,
      retention: LOGS_KEPT,
      onError: (error) => this.errors.push(error),
      onExpired: ({ expired }) => {
        this.expired += expired;
      },
      onClean: async (org) => {
        this.cleaned.push(org);
      },
    });
  }

  get ledger(): Ledger {
    return this.clocked.ledger;
  }

  async seed(org: string, setup: Setup): Promise<TestOrg> {
    const testOrg = new TestOrg(this.ledger, org, (ms) => this.clocked.setClock(ms));
    await testOrg.seed(setup);
    return testOrg;
  }

  /** Rounds a second apart. Returns the calls that they made. */
  async rounds(count: number): Promise<Calls> {
    for (const name of Object.keys(this.calls)) delete this.calls[name];
    for (let round = 0; round < count; round += 1) {
      await this.wait(EVERY_MS);
      await this.maintenance.round();
    }
    return { ...this.calls };
  }

  /** Moves the clock on. */
  async wait(ms: number): Promise<void> {
    this.now += ms;
    await this.clocked.setClock(this.now);
  }

  async close(): Promise<void> {
    this.maintenance.close();
    await this.clocked.close();
  }
}

let count = 0;

async function scriptCalls(): Promise<number> {
  const client = new Redis((await serverOfFile()).socket, { protocol: 2 });
  const stats = await client.info('commandstats');
  client.disconnect();
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

/** The same behaviour on both ledgers, each time on an empty store. */
export function onBothMaintained(
  guarantee: string,
  t: Test,
  behaviour: (test: Test, maintained: Maintained) => Promise<void>,
  /** Behaviour that compares injected time with ids of entries: Redis makes those by its own clock. */
  { onlyEmbedded = false } = {},
): void {
  const openers = {
    embedded: () => openClockedMemory(),
    redis: async () => {
      count += 1;
      return openClockedRedis((await serverOfFile()).url, `maintained${count}`);
    },
  };
  for (const [name, open] of Object.entries(openers)) {
    if (onlyEmbedded && name === 'redis') continue;
    const skip = name === 'redis' && skipWithoutRedis;
    t.test(`${guarantee} (${name})`, { skip }, async (test) => {
      const maintained = new Maintained(await open(), name === 'redis' ? scriptCalls : async () => 0);
      test.teardown(() => maintained.close());
      await behaviour(test, maintained);
      test.same(maintained.errors, []);
    });
  }
}
