/** Parts of the network are cut off from each other under load: what the gateway answers, and what the counters hold afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../src/ledger/redis/index.js';
import { ClusterSet } from '../support/cluster.js';
import { Network, type NetworkHost } from '../support/network.js';
import type { RedisNode } from '../support/redis-node.js';
import { SentinelSet } from '../support/sentinel.js';
import {
  CUT_MS,
  consumedOn,
  type FailoverSet,
  type FailoverTrial,
  isWithin,
  RECOVERY_MAX_MS,
  recovered,
  WARM_MS,
  type Window,
  wrongIn,
} from './failover.js';
import { GatewayUnderLoad, ORGS } from './store-setup.js';
import { counted, timesOf } from './trial.js';

/** Which hosts are on the side of the master. */
export type Side = 'gateway apart from master' | 'master alone' | 'master with gateway';

export interface PartitionOptions {
  readonly form: 'sentinel' | 'cluster';
  readonly side: Side;
  readonly minReplicas?: number;
  /** Redis' own bound: a master without replicas refuses writes after so many seconds. */
  readonly maxLagSeconds?: number;
}

const PARTED_MS = 4_000;
/** The Sentinels demote an old master 8 seconds after it is back. */
const JOINED_MS = 3_000;
const HOSTS = { sentinel: 3, cluster: 6 };

interface Parts {
  readonly network: Network;
  readonly set: FailoverSet & { close(): Promise<void> };
  readonly servers: readonly RedisNode[];
  readonly gatewayHost: NetworkHost;
}

async function startParts(form: PartitionOptions['form']): Promise<Parts> {
  const network = Network.start();
  const hosts: NetworkHost[] = [];
  for (let count = 0; count < HOSTS[form]; count += 1) hosts.push(await network.addHost());
  const gatewayHost = await network.addHost();
  if (form === 'sentinel') {
    const set = await SentinelSet.start(hosts);
    return { network, set, servers: set.servers, gatewayHost };
  }
  const set = await ClusterSet.start(1, hosts);
  return { network, set, servers: set.nodes, gatewayHost };
}

function sidesOf(
  { servers, gatewayHost }: Parts,
  master: RedisNode,
  side: Side,
): [NetworkHost[], NetworkHost[]] {
  const hostsOf = (nodes: readonly RedisNode[]) => nodes.flatMap(({ on }) => (on === undefined ? [] : [on]));
  const others = hostsOf(servers.filter((server) => server !== master));
  switch (side) {
    case 'gateway apart from master':
      return [hostsOf([master]), [gatewayHost]];
    case 'master alone':
      return [hostsOf([master]), [...others, gatewayHost]];
    case 'master with gateway':
      return [[...hostsOf([master]), gatewayHost], others];
  }
}

export interface PartitionTrial extends FailoverTrial {
  /** Answers of the metered routes to requests that were sent while the network was parted, by status. */
  readonly parted: Readonly<Record<string, number>>;
}

export async function tryPartition(options: PartitionOptions): Promise<PartitionTrial> {
  const parts = await startParts(options.form);
  try {
    return await runPartition(parts, options);
  } finally {
    await parts.set.close();
    parts.network.close();
  }
}

async function runPartition(parts: Parts, options: PartitionOptions): Promise<PartitionTrial> {
  const { network, set, servers, gatewayHost } = parts;
  const { side, minReplicas = 0, maxLagSeconds } = options;
  if (maxLagSeconds !== undefined)
    for (const server of servers) {
      await server.send('CONFIG', 'SET', 'min-replicas-to-write', 1);
      await server.send('CONFIG', 'SET', 'min-replicas-max-lag', maxLagSeconds);
    }
  const settings = minReplicas === 0 ? set.settings : `${set.settings}, minReplicas: ${minReplicas}`;
  const place = { on: gatewayHost, address: network.address };
  const setup = await GatewayUnderLoad.on(settings, () => openRedis(set.address), place);
  try {
    setup.startLoad();
    await delay(WARM_MS);
    const master = await set.master();
    const replicas = await set.replicasOf(master);
    const partedAt = performance.now();
    network.part(...sidesOf(parts, master, side));
    const isElected = side !== 'gateway apart from master';
    if (isElected) await delay(CUT_MS);
    const kept = isElected ? await keptBy(replicas) : {};
    if (isElected) await set.untilElected(master);
    const electedAt = isElected ? performance.now() : partedAt;
    const servedAt = side === 'master alone' ? await recovered(setup, electedAt) : undefined;
    await delay(partedAt + PARTED_MS - performance.now());
    network.join();
    const joinedAt = performance.now();
    const backSince = servedAt === undefined ? joinedAt : electedAt;
    const backAt = servedAt ?? (await recovered(setup, joinedAt));
    await delay(JOINED_MS);
    await setup.stopLoad();
    // An old master beside the gateway answers until the gateway leaves it.
    const to = side === 'master with gateway' ? joinedAt + RECOVERY_MAX_MS : electedAt;
    const span = { since: partedAt, until: Math.max(backAt, joinedAt) + 500, joinedAt };
    const figures = await figuresIn(setup, { from: partedAt, to }, kept, span);
    return { ...figures, electedMs: electedAt - partedAt, recoveredMs: backAt - backSince };
  } finally {
    network.join();
    await setup.close();
  }
}

/** What the new master begins with, by org; 0 for orgs of other nodes. */
async function keptBy(replicas: readonly RedisNode[]): Promise<Record<string, number>> {
  const units = ORGS.map(async (org) => {
    const found = await Promise.all(replicas.map((replica) => consumedOn(replica, org).catch(() => 0)));
    return [org, Math.min(...found)] as const;
  });
  return Object.fromEntries(await Promise.all(units));
}

interface Span {
  readonly since: number;
  readonly until: number;
  readonly joinedAt: number;
}

async function figuresIn(
  setup: GatewayUnderLoad,
  window: Window,
  kept: Readonly<Record<string, number>>,
  { since, until, joinedAt }: Span,
): Promise<Omit<PartitionTrial, 'electedMs' | 'recoveredMs'>> {
  const all = setup.answers.filter(({ sentAt }) => sentAt > since && sentAt < until);
  const free = all.filter(({ kind }) => kind === 'free');
  const metered = all.filter(({ kind }) => kind !== 'free');
  const wrong = await Promise.all(ORGS.map((org) => wrongIn(setup, org, window, kept[org] ?? 0)));
  return {
    statuses: counted(metered),
    parted: counted(metered.filter(({ sentAt }) => sentAt < joinedAt)),
    times: timesOf(metered, free),
    freeTimes: timesOf(free, []),
    rolledBack: setup.logged('store_rolled_back'),
    lostCalls: (await setup.metric('quotagate_store_lost_calls_total')) ?? 0,
    scarceServed: (setup.served().scarce ?? 0) / 10,
    scarceLost: (setup.served((answer) => isWithin(answer, window)).scarce ?? 0) / 10,
    wrong: wrong.flat(),
  };
}
