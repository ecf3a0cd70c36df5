/** A real redis-server on a socket in the test's folder, without persistence, ended with the test. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisServer {
  /** URL of its unix socket. */

  readonly url: string;
  /** Path of the same. */
  readonly socket: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Why there is no redis-server here, or undefined where there is one. */
export function redisMissing(): string | undefined {
  return spawnSync('redis-server', ['--version']).error === undefined
    ? undefined
    : 'redis-server is not installed';
}

/** Skip option for tap: with CI=true a missing part is a failure, so there is nothing to skip. */
export const skipWithoutRedis: string | false = process.env.CI === 'true' ? false : (redisMissing() ?? false);

export async function startRedis(options: { port?: number; args?: string[] } = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-redis-'));
  const socket = join(folder, 'redis.sock');
  const args = [
    '--port',
    String(options.port ?? 0),
    '--unixsocket',
    socket,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', [...args, '--dir', folder, ...(options.args ?? [])], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilConnects(socket, child.exitCode);
  return {
    url: `unix://${socket}`,
    socket,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilConnects(socket: string, exitCode: number | null): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (exitCode !== null) throw new Error('redis-server ended at start');
    const connected = await new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => {
        probe.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('redis-server did not open its socket');
}
