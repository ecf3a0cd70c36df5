/** A redis-server that writes down every change, and that a test stops, kills, empties and starts again at the same place. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

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
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    this.child = child;
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()));
    for (let attempt = 0; attempt < 400; attempt += 1) {
      if (child.exitCode !== null) throw new Error('redis-server ended at start');
      if (await this.answers()) {
        if (!this.began) await this.send('HSET', 'qg:store', 'epoch', 'of-the-test');
        this.began = true;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('redis-server does not answer');
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
