/** A redis-server with an append-only file that a test can stop, kill, empty and start again at the same socket. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { launchRedis } from '../support/redis.js';

export class RedisUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'quotagate-store-'));
  readonly socket = join(this.folder, 'redis.sock');
  password = 'first';
  /** The first start marks the store as initialized; a store that a test empties later stays empty. */
  private initialized = false;
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();

  get url(): string {
    return `unix://${this.socket}`;
  }

  async start(): Promise<void> {
    const disk = ['--dir', this.folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    const args = ['--port', '0', '--unixsocket', this.socket, '--requirepass', this.password, ...disk];
    const { child, ended, untilReady } = launchRedis('redis-server', args, this.folder);
    this.child = child;
    this.ended = ended;
    await untilReady(() => this.answers());
    if (!this.initialized) await this.send('HSET', 'qg:store', 'epoch', 'of-the-test');
    this.initialized = true;
  }

  private async answers(): Promise<boolean> {
    return this.send('PING').then(
      () => true,
      () => false,
    );
  }

  /** Sends one command on a separate connection. */
  async send(command: string, ...args: string[]): Promise<unknown> {
    const once = {
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      protocol: 2,
      lazyConnect: true,
    } as const;
    const redis = new Redis(this.socket, { password: this.password, ...once });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.child?.pid !== undefined) process.kill(this.child.pid, signal);
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** Deletes the append-only file. */
  forget(): void {
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
