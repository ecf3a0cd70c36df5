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

/** A redis-server 6.2, where there is one: its errors have other words. */
export const redis62: string | undefined = process.env.QUOTAGATE_REDIS_62;

export interface StartOptions {
  readonly port?: number;
  readonly args?: string[];
  /** The program; left out: the one on PATH. */
  readonly command?: string;
  /** As a new installation finds it: the first org waits for objections. Left out: gateways have begun the store before. */
  readonly untouched?: boolean;
}

export async function startRedis(options: StartOptions = {}): Promise<RedisServer> {
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
  const child = spawn(
    options.command ?? 'redis-server',
    [...args, '--dir', folder, ...(options.args ?? [])],
    {
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilConnects(socket, child.exitCode);
  if (options.untouched !== true) await beginStore(socket);
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

/** What the first gateway writes, after it has waited. */
async function beginStore(socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const client = connect(socket, () => client.write('HSET qg:store epoch of-the-test\r\n'));
    client.on('error', reject).on('data', () => {
      client.destroy();
      resolve();
    });
  });
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
