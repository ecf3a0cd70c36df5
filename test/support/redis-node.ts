/** A redis-server on a free port of this machine: the parts of a Sentinel set and of a Cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import type { NetworkHost } from './network.js';
import { launchRedis } from './redis.js';

/** A port that was free a moment ago. */
export async function freePort(below = 65_536): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    if (port < below) return port;
  }
}

export interface NodeOptions {
  readonly port: number;
  readonly args?: readonly string[];
  /** A config file, which a Sentinel writes to. */
  readonly file?: string;
  /** How the test connects to it, if not just so. */
  readonly client?: { readonly tls?: ConnectionOptions; readonly password?: string };
  /** The program; left out: `redis-server`. */
  readonly command?: string;
  /** Where it runs, if not beside the test. */
  readonly on?: NetworkHost | undefined;
}

const LOOPBACK = '127.0.0.1';

/** One process, ended by its pid. Its data is in a folder of its own. */
export class RedisNode {
  readonly port: number;
  private readonly folder = mkdtempSync(join(tmpdir(), 'quotagate-node-'));
  private launched: ReturnType<typeof launchRedis> | undefined;

  constructor(private readonly options: NodeOptions) {
    this.port = options.port;
  }

  get isCluster(): boolean {
    return this.options.args?.includes('--cluster-enabled') === true;
  }

  get on(): NetworkHost | undefined {
    return this.options.on;
  }

  get host(): string {
    return this.options.on?.address ?? LOOPBACK;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    const { port, args = [], file, command = 'redis-server', on } = this.options;
    const before = file === undefined ? [] : [file];
    const own = ['--port', String(port), '--bind', this.host, '--protected-mode', 'no', '--dir', this.folder];
    const all = [...before, ...own, ...args];
    const [program, programArgs] = on === undefined ? [command, all] : on.command(command, all);
    this.launched = launchRedis(program, programArgs, this.folder);
    await this.launched.untilReady(() =>
      this.send('PING').then(
        () => true,
        () => false,
      ),
    );
  }

  /** Sends one command on a connection of its own. */
  async send(command: string, ...args: (string | number)[]): Promise<unknown> {
    return (await this.sendAll([[command, ...args]]))[0];
  }

  /** Sends commands in their order on a connection of their own. */
  async sendAll(commands: readonly (readonly [string, ...(string | number)[]])[]): Promise<unknown[]> {
    const redis = new Redis(this.port, this.host, {
      ...this.options.client,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      protocol: 2,
      lazyConnect: true,
      disableClientInfo: true,
      enableReadyCheck: false,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await Promise.all(commands.map(([command, ...args]) => redis.call(command, ...args)));
    } finally {
      redis.disconnect();
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.launched?.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.launched?.ended;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A field of INFO. */
export async function infoOf(node: RedisNode, field: string): Promise<string | undefined> {
  const info = String(await node.send('INFO'));
  return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(info)?.[1];
}

/** Looks until it is so; rejects after `maxMs`. */
export async function waitFor(what: string, isSo: () => Promise<boolean>, maxMs = 20_000): Promise<void> {
  const giveUpAt = performance.now() + maxMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await delay(20);
  }
}
