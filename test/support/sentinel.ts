/** A master with two replicas, watched by three Sentinels that replace it within about a second. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAddress } from '../../src/ledger/redis/server-address.js';
import type { FailoverSet } from '../store/failover.js';
import type { NetworkHost } from './network.js';
import { freePort, infoOf, RedisNode, waitFor } from './redis-node.js';

const NAME = 'quotas';
const DOWN_AFTER_MS = 500;
const MEMORY_ONLY = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];

export class SentinelSet implements FailoverSet {
  private constructor(
    readonly servers: readonly RedisNode[],
    readonly sentinels: readonly RedisNode[],
    private readonly folder: string,
  ) {}

  /** `hosts`: three, each with a server and a Sentinel. Left out: all beside the test. */
  static async start(hosts: readonly NetworkHost[] = []): Promise<SentinelSet> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-sentinel-'));
    const servers: RedisNode[] = [];
    const sentinels: RedisNode[] = [];
    const set = new SentinelSet(servers, sentinels, folder);
    try {
      for (let index = 0; index < 3; index += 1) {
        const [first] = servers;
        const follows = first === undefined ? [] : ['--replicaof', first.host, String(first.port)];
        const args = [...MEMORY_ONLY, ...follows];
        const server = new RedisNode({ port: await freePort(), args, on: hosts[index] });
        servers.push(server);
        await server.start();
      }
      await set.startSentinels(servers[0] as RedisNode);
      await servers[0]?.send('HSET', 'qg:store', 'epoch', 'of-the-test');
      await set.untilWhole();
    } catch (error) {
      await set.close();
      throw error;
    }
    return set;
  }

  private async startSentinels(master: RedisNode): Promise<void> {
    for (let index = 0; index < 3; index += 1) {
      const file = join(this.folder, `sentinel-${index}.conf`);
      const lines = [
        `sentinel monitor ${NAME} ${master.host} ${master.port} 2`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} 5000`,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      const { on } = this.servers[index] as RedisNode;
      const sentinel = new RedisNode({ port: await freePort(), file, args: ['--sentinel'], on });
      (this.sentinels as RedisNode[]).push(sentinel);
      await sentinel.start();
    }
  }

  /** Every Sentinel knows the others and both replicas, and each replica has what the master has. */
  async untilWhole(): Promise<void> {
    for (const sentinel of this.sentinels)
      await waitFor('the Sentinels know each other', async () => {
        const others = (await sentinel.send('SENTINEL', 'SENTINELS', NAME)) as unknown[];
        const replicas = (await sentinel.send('SENTINEL', 'REPLICAS', NAME)) as unknown[];
        return others.length === 2 && replicas.length === 2;
      });
    const master = await this.master();
    await waitFor(
      'the replicas are connected',
      async () => (await infoOf(master, 'connected_slaves')) === '2',
    );
  }

  get address(): ServerAddress {
    const hosts = this.sentinels.map(({ host, port }) => ({ host, port }));
    return { sentinel: { name: NAME, hosts, database: 0 } };
  }

  /** The section `store` of a config. */
  get settings(): string {
    const hosts = this.sentinels.map(({ address }) => address).join(', ');
    return `sentinel: { name: ${NAME}, hosts: [${hosts}] }`;
  }

  /** The master that the last Sentinel names: a partition leaves it with the majority. */
  async master(): Promise<RedisNode> {
    const last = this.sentinels.at(-1) as RedisNode;
    const [, port] = (await last.send('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
    const found = this.servers.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`the Sentinel names a master at ${port}`);
    return found;
  }

  async replicasOf(master: RedisNode): Promise<readonly RedisNode[]> {
    return this.servers.filter((server) => server !== master);
  }

  /** As an operator does it. */
  async promote(): Promise<void> {
    await this.sentinels.at(-1)?.send('SENTINEL', 'FAILOVER', NAME);
  }

  /** Resolves when the Sentinels name another master than `old`, and it takes writes. */
  async untilElected(old: RedisNode): Promise<RedisNode> {
    let master = old;
    await waitFor('another master is elected', async () => {
      master = await this.master();
      return master !== old && (await infoOf(master, 'role')) === 'master';
    });
    return master;
  }

  async close(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((node) => node.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
