/** Three masters with a replica each, which take the place of a master within about two seconds. */
import slotOf from 'cluster-key-slot';
import type { RedisOptions } from '../../src/ledger/redis/index.js';
import type { FailoverSet } from '../store/failover.js';
import type { NetworkHost } from './network.js';
import { freePort, RedisNode, waitFor } from './redis-node.js';

const SLOTS = 16_384;
const MASTERS = 3;
const NODE_TIMEOUT_MS = 1_000;
/** The port of the bus is 10,000 above the other. */
const PORT_MAX = 55_000;
const RETRY_MS = 50;

type Range = [first: number, last: number, ...nodes: [host: string, port: number, id: string][]];

export interface Migration {
  /** From the first SETSLOT to the last. */
  readonly movedMs: number;
  /** Of one key: both nodes do nothing else. */
  readonly longestMs: number;
}

export class ClusterSet implements FailoverSet {
  private constructor(readonly nodes: readonly RedisNode[]) {}

  /** `replicas` of each master. `hosts`: one for each node; left out: all beside the test. */
  static async start(replicas = 1, hosts: readonly NetworkHost[] = []): Promise<ClusterSet> {
    const nodes: RedisNode[] = [];
    const set = new ClusterSet(nodes);
    try {
      for (let index = 0; index < MASTERS * (1 + replicas); index += 1) {
        const timeout = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
        const cluster = ['--cluster-enabled', 'yes', ...timeout, '--cluster-replica-validity-factor', '0'];
        const args = [...cluster, '--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
        const node = new RedisNode({ port: await freePort(PORT_MAX), args, on: hosts[index] });
        nodes.push(node);
        await node.start();
      }
      await set.join();
      await (await set.ownerOf('qg:store')).send('HSET', 'qg:store', 'epoch', 'of-the-test');
    } catch (error) {
      await set.close();
      throw error;
    }
    return set;
  }

  private async join(): Promise<void> {
    const [first] = this.nodes as [RedisNode];
    for (const [index, node] of this.nodes.entries()) {
      await node.send('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await first.send('CLUSTER', 'MEET', node.host, node.port);
    }
    for (const [index, node] of this.masters.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / MASTERS));
      const slots = Array.from({ length: SLOTS }, (_, slot) => slot).slice(from, to);
      await node.send('CLUSTER', 'ADDSLOTS', ...slots);
    }
    for (const node of this.nodes)
      await waitFor('all nodes know each other', async () => {
        const lines = String(await node.send('CLUSTER', 'NODES'))
          .trim()
          .split('\n');
        return lines.length === this.nodes.length && !lines.some((line) => /handshake|noaddr/.test(line));
      });
    for (const [index, node] of this.nodes.slice(MASTERS).entries()) {
      const master = this.nodes[index % MASTERS] as RedisNode;
      await node.send('CLUSTER', 'REPLICATE', await idOf(master));
    }
    await this.untilWhole();
  }

  /** Every node has the same map, and each replica has what its master has. */
  async untilWhole(): Promise<void> {
    for (const node of this.nodes)
      await waitFor('the Cluster is whole', async () => {
        const info = String(await node.send('CLUSTER', 'INFO'));
        const ranges = (await node.send('CLUSTER', 'SLOTS')) as Range[];
        const found = ranges.reduce((sum, range) => sum + range.length - 2, 0);
        const link = String(await node.send('INFO', 'replication'));
        const isLinked = !link.includes('role:slave') || link.includes('master_link_status:up');
        return /cluster_state:ok/.test(info) && found === this.nodes.length && isLinked;
      });
  }

  get address(): RedisOptions {
    const hosts = this.nodes.map(({ host, port }) => ({ host, port }));
    return { cluster: { hosts, retryMs: RETRY_MS } };
  }

  /** Of the section `store`. */
  get settings(): string {
    return `cluster: { hosts: [${this.nodes.map(({ address }) => address).join(', ')}] }`;
  }

  async ownerOf(key: string): Promise<RedisNode> {
    const slot = slotOf(key);
    for (const node of this.nodes) {
      const ranges = (await node.send('CLUSTER', 'SLOTS').catch(() => [])) as Range[];
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      const found = this.nodes.find(({ port }) => port === range?.[2]?.[1]);
      if (found !== undefined) return found;
    }
    throw new Error(`nobody owns the slot of ${key}`);
  }

  /** Of the orgs of the load, that of `acme`. */
  master(): Promise<RedisNode> {
    return this.ownerOf('qg:{acme}:org');
  }

  /** As they were at the start. */
  get masters(): readonly RedisNode[] {
    return this.nodes.slice(0, MASTERS);
  }

  async replicasOf(master: RedisNode): Promise<readonly RedisNode[]> {
    const id = await idOf(master);
    const lines = (await master.send('CLUSTER', 'REPLICAS', id)) as string[];
    return this.nodes.filter(({ port }) => lines.some((line) => line.includes(`:${port}@`)));
  }

  /** As an operator does it. `takeover`: without the consent of the others. */
  async promote(master: RedisNode, takeover: boolean): Promise<void> {
    const [replica] = await this.replicasOf(master);
    await replica?.send('CLUSTER', 'FAILOVER', ...(takeover ? ['TAKEOVER'] : []));
  }

  async untilElected(old: RedisNode): Promise<RedisNode> {
    let master = old;
    const [witness] = this.nodes.filter((node) => node !== old) as [RedisNode];
    await waitFor('a replica takes the place of its master', async () => {
      const ranges = (await witness.send('CLUSTER', 'SLOTS')) as Range[];
      const slot = slotOf('qg:{acme}:org');
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      const found = this.nodes.find(({ port }) => port === range?.[2]?.[1]);
      if (found !== undefined) master = found;
      return master !== old;
    });
    return master;
  }

  /** Moves the slot of a key as `redis-cli --cluster reshard` does, with a pause between two keys. */
  async migrate(key: string, to: RedisNode, pauseMs: number): Promise<Migration> {
    const slot = slotOf(key);
    const from = await this.ownerOf(key);
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    const beganAt = performance.now();
    let longestMs = 0;
    await to.send('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    for (;;) {
      await pause(pauseMs);
      const keys = (await from.send('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
      if (keys.length === 0) break;
      const sentAt = performance.now();
      await from.send('MIGRATE', to.host, to.port, '', 0, 60_000, 'KEYS', ...keys);
      longestMs = Math.max(longestMs, performance.now() - sentAt);
    }
    // Until the map changes, the old owner answers ASK.
    await pause(5 * pauseMs);
    for (const node of [to, from, ...this.nodes])
      await node.send('CLUSTER', 'SETSLOT', slot, 'NODE', toId).catch(() => undefined);
    return { movedMs: performance.now() - beganAt, longestMs };
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

async function idOf(node: RedisNode): Promise<string> {
  return String(await node.send('CLUSTER', 'MYID'));
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
