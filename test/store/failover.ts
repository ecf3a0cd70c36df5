/** A master is killed under load, and a replica takes its place: what the gateway answers meanwhile, and what the counters hold. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis, type RedisOptions } from '../../src/ledger/redis/index.js';

import { figuresOf } from '../e2e/figures.js';
import type { RedisNode } from '../support/redis-node.js';
import { type Answer, GatewayUnderLoad, ORGS, SCARCE_UNITS } from './store-setup.js';
import { counted, type Times, timesOf } from './trial.js';

/** Servers of which some take the place of others. */
export interface FailoverSet {
  /** Of the section `store`. */
  readonly settings: string;
  readonly address: RedisOptions;
  /** The master that is killed. */
  master(): Promise<RedisNode>;
  replicasOf(master: RedisNode): Promise<readonly RedisNode[]>;
  /** Makes a replica the master while the master is well. */
  promote(master: RedisNode, takeover: boolean): Promise<void>;
  /** Resolves when another server is master in the place of `old`. */
  untilElected(old: RedisNode): Promise<unknown>;
}

export interface FailoverTrial {
  /** Answers from the kill until the recovery, by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly times: Times;
  readonly freeTimes: Times;
  /** From the kill to the election, and from there to the first request served. */
  readonly electedMs: number;
  readonly recoveredMs: number;
  /** Alarms of lost calls, by the log. */
  readonly rolledBack: number;
  /** Calls that the gateway found to be lost, by its metric. */
  readonly lostCalls: number;
  /** Units of the small budget that were served in all, and those of them that the fail-over lost. */
  readonly scarceServed: number;
  readonly scarceLost: number;
  /** What is wrong with the counters of an org. */
  readonly wrong: readonly string[];
}

/** What ends the master: a signal, or a replica that is promoted by hand. */
export type End = 'SIGKILL' | 'SIGSTOP' | 'promotion' | 'takeover';

export const WARM_MS = 700;
const AFTERWARDS_MS = 1_500;
const SETTLED_MAX_MS = 10_000;
const RECOVERED_MAX_MS = 20_000;
/** From the election to the first request served. */
export const RECOVERY_MAX_MS = 2_000;
/** The replicas have read what they still got. */
export const CUT_MS = 50;
/** After a promotion by hand, the old master answers until those that use it learn of it. */
const HANDED_OVER_MS = 500;

/** `lostMs`: how long no replica gets anything before the master ends, so that there is something to lose. */
export async function tryFailover(
  set: FailoverSet,
  { lostMs = 0, end = 'SIGKILL' as End, minReplicas = 0 } = {},
): Promise<FailoverTrial> {
  const settings = minReplicas === 0 ? set.settings : `${set.settings}, minReplicas: ${minReplicas}`;
  const setup = await GatewayUnderLoad.on(settings, () => openRedis(set.address));
  try {
    setup.startLoad();
    await delay(WARM_MS);
    const master = await set.master();
    const replicas = await set.replicasOf(master);
    const cutAt = performance.now();
    const kept = lostMs > 0 ? await cutReplicas(replicas, master) : {};
    await delay(lostMs);
    const isByHand = end === 'promotion' || end === 'takeover';
    if (isByHand) await set.promote(master, end === 'takeover');
    else master.signal(end);
    const killedAt = performance.now();
    await set.untilElected(master);
    const electedAt = performance.now();
    // With `minReplicas`, the new master needs one that follows it.
    if (lostMs > 0) await setMasterauth(replicas, '');
    const recoveredAt = await recovered(setup, electedAt);
    await delay(AFTERWARDS_MS);
    await setup.stopLoad();
    const meanwhile = setup.answers.filter(({ sentAt }) => sentAt > cutAt && sentAt < recoveredAt + 500);
    const free = meanwhile.filter(({ kind }) => kind === 'free');
    const during = meanwhile.filter(({ kind }) => kind !== 'free');
    const window = { from: cutAt, to: electedAt + (isByHand ? HANDED_OVER_MS : 0) };
    const wrong = await Promise.all(ORGS.map((org) => wrongIn(setup, org, window, kept[org] ?? 0)));
    return {
      statuses: counted(during),
      times: timesOf(during, free),
      freeTimes: timesOf(free, []),
      electedMs: electedAt - killedAt,
      recoveredMs: recoveredAt - electedAt,
      rolledBack: setup.logged('store_rolled_back'),
      lostCalls: (await setup.metric('quotagate_store_lost_calls_total')) ?? 0,
      scarceServed: (setup.served().scarce ?? 0) / 10,
      scarceLost: (setup.served((answer) => isWithin(answer, window)).scarce ?? 0) / 10,
      wrong: wrong.flat(),
    };
  } finally {
    await setup.close();
  }
}

/**
 * They cannot log in at the master any more; those that watch them see no difference. Returns what the new master will have, by org.
 */
async function cutReplicas(
  replicas: readonly RedisNode[],
  master: RedisNode,
): Promise<Record<string, number>> {
  await setMasterauth(replicas, 'wrong');
  await master.send('CLIENT', 'KILL', 'TYPE', 'replica');
  await delay(CUT_MS);
  const kept = ORGS.map(async (org) => {
    // Other nodes of a Cluster have the other orgs, and lose nothing.
    const units = await Promise.all(replicas.map((replica) => consumedOn(replica, org).catch(() => 0)));
    return [org, Math.min(...units)] as const;
  });
  return Object.fromEntries(await Promise.all(kept));
}

async function setMasterauth(nodes: readonly RedisNode[], password: string): Promise<void> {
  for (const node of nodes) await node.send('CONFIG', 'SET', 'masterauth', password);
}

export async function consumedOn(node: RedisNode, org: string): Promise<number> {
  const readOnly = node.isCluster ? [['READONLY'] as const] : [];
  const ask = async (key: string, field: string): Promise<unknown> =>
    (await node.sendAll([...readOnly, ['HGET', `qg:{${org}}:${key}`, field]])).at(-1);
  return Number(await ask(`consumed:${await ask('org', 'start')}`, 'usage:o'));
}

export async function recovered(setup: GatewayUnderLoad, since: number): Promise<number> {
  while (performance.now() - since < RECOVERED_MAX_MS) {
    const first = setup.answers.find(
      ({ kind, status, sentAt, ms }) => kind === 'closed' && status === 200 && sentAt + ms >= since,
    );
    if (first !== undefined) return first.sentAt + first.ms;
    await delay(5);
  }
  return Number.POSITIVE_INFINITY;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** It was under way in the time of which the new master may know nothing. */
export function isWithin({ sentAt, ms }: Answer, { from, to }: Window): boolean {
  return sentAt + ms >= from && sentAt <= to;
}

/** `kept`: what the new master began with. Refunds of what it lacks give nothing back, and nothing is charged twice. */
export async function wrongIn(
  setup: GatewayUnderLoad,
  org: string,
  window: Window,
  kept: number,
): Promise<string[]> {
  const all = setup.served()[org] ?? 0;
  const later = setup.served(({ sentAt }) => sentAt > window.to)[org] ?? 0;
  const refunds = 10 * setup.answers.filter((one) => one.status === 500 && isWithin(one, window)).length;
  const { total, isRecorded } = await settled(setup.ledger, org);
  const least = kept + later - refunds;
  const wrong: string[] = [];
  if (total < least) wrong.push(`${org}: at least ${least} are charged, but ${total} are in the store`);
  if (total > all + refunds) wrong.push(`${org}: ${all} served, but ${total} are in the store`);
  if (!isRecorded) wrong.push(`${org}: history differs from counters`);
  if (org === 'scarce' && total > 10 * SCARCE_UNITS) wrong.push(`${org}: ${total} are past the limit`);
  return wrong;
}

async function settled(ledger: Ledger, org: string): Promise<{ total: number; isRecorded: boolean }> {
  const giveUpAt = performance.now() + SETTLED_MAX_MS;
  for (let before = -1; ; ) {
    const { consumed, recorded } = await figuresOf(ledger, org);
    const total = consumed['usage:o'] ?? 0;
    const isRecorded = isDeepStrictEqual(recorded, consumed);
    if ((isRecorded && total === before) || performance.now() > giveUpAt) return { total, isRecorded };
    before = total;
    await delay(300);
  }
}
