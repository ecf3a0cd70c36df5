/** A redis-server that writes down every change, and that a test stops, kills, empties and starts again at the same place. */
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
  /** Gateways have begun the store before; what a test empties later is empty. */
  private began = false;
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
    if (!this.began) await this.send('HSET', 'qg:store', 'epoch', 'of-the-test');
    this.began = true;
  }

  private async answers(): Promise<boolean> {
    return this.send('PING').then(
      () => true,
      () => false,
    );
  }

  /** One command on a connection of its own. */
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

  /** What it wrote down is gone. */
  forget(): void {
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
