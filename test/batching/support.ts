/** StoreBatcher on a real Redis, behind a proxy that can do what networks do. */
import type { Test } from 'tap';
import {
  type Answer,
  type OpenEvent,
  StoreBatcher,
  type StoreBatcherOptions,
} from '../../src/ledger/batching/index.js';
import { decodeJournal } from '../../src/ledger/codec.js';
import type { Change, Ledger, Op, ReserveOp } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { charges } from '../../src/quota/charge.js';
import { FaultProxy, type Link } from '../support/fault-proxy.js';
import { startRedis } from '../support/redis.js';

export const CYCLE = { start: 1, end: 8_000_000_000_000 };
const CHARGES = charges('maps', [{ quota: 'usage', units: 5, kind: 'fixed' }]);
/** The machine may be busy. */
const DEADLINE_MS = 250;

export type Options = Partial<StoreBatcherOptions> & {
  readonly silenceMs?: number;
  readonly org?: readonly Change[];
};

export async function setUp(t: Test, { silenceMs = 60_000, org = orgChanges(), ...options }: Options = {}) {
  const redis = await startRedis();
  const proxy = await FaultProxy.start(redis.socket);
  const behind = await openRedis({ url: proxy.url, silenceMs });
  const direct = await openRedis({ url: redis.url });
  const troubles: string[] = [];
  const events: OpenEvent[] = [];
  const make = (): StoreBatcher => {
    const batcher = new StoreBatcher({
      ledger: behind,
      deadlineMs: DEADLINE_MS,
      unknownUsers: 'register',
      onTrouble: (what) => troubles.push(what),
      onOpen: (event) => events.push(event),
      ...options,
    });
    t.teardown(() => batcher.drain(0));
    return batcher;
  };
  const batcher = make();
  t.teardown(async () => {
    await batcher.drain(0);
    await behind.close();
    await direct.close();
    await proxy.close();
    await redis.stop();
  });
  await direct.commit('acme', { version: 0, changes: org, audit: '' });
  // The connection of decisions is the one that the first decision goes through.
  await until('it is warm', async () => {
    const first = await batcher.decide('acme', reserve('warm')).catch(() => undefined);
    return first?.result.status === 'admitted';
  });
  const link = proxy.links[0] as Link;
  return { redis, proxy, link, behind, direct, batcher, make, troubles, events };
}

export function orgChanges(over: Readonly<Record<string, string | number>> = {}): Change[] {
  const fields = {
    epoch: 'e1',
    now: 0,
    start: CYCLE.start,
    end: CYCLE.end,
    prev: 0,
    rule: '{}',
    ruleVersion: 1,
    seats: '',
    seatsUsed: 0,
    state: 'open',
    thresholds: '',
    'plan:usage': '1000000:h',
    ...over,
  };
  return Object.entries(fields).map(([field, value]) => ({ set: 'org', field, value: String(value) }));
}

export function reserve(user: string, over: Partial<ReserveOp> = {}): ReserveOp {
  return { kind: 'reserve', user, claims: '', charges: CHARGES, hold: '', ttlMs: 0, ...over };
}

export function refund(user: string, { now: at, call = '' }: Pick<Answer, 'now' | 'call'>): Op {
  return { kind: 'refund', user, groups: '', charges: CHARGES, cycle: CYCLE.start, at, call };
}

export async function consumed(ledger: Ledger, user: string): Promise<number> {
  const fields = [`usage:u:${user}`];
  const { values } = await ledger.read('acme', [{ table: `consumed:${CYCLE.start}`, fields }]);
  return Number(values[0]?.[0] ?? 0);
}

export async function journalled(ledger: Ledger, user: string): Promise<number> {
  const entries = await ledger.log('acme', 'journal', '', 1_000);
  const lines = entries.flatMap((entry) => decodeJournal(entry.text)).filter((line) => line.user === user);
  return lines.reduce((sum, line) => sum + (line.charges[0]?.units ?? 0), 0);
}

export async function untilSettled(
  t: Test,
  batcher: StoreBatcher,
  ledger: Ledger,
  user: string,
  units: number,
) {
  const isSo = async () => isDelivered(batcher) && (await consumed(ledger, user)) === units;
  await until(`${user} has consumed ${units}`, isSo).catch(() => undefined);
  t.equal(await consumed(ledger, user), units);
  t.equal(await journalled(ledger, user), units);
  t.ok(isDelivered(batcher));
}

function isDelivered({ backlog, open }: StoreBatcher): boolean {
  return backlog === 0 && open.undelivered === 0;
}

/** Looks until it is so; rejects after ten seconds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
