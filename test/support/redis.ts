/** A real redis-server on a socket in the test's folder, without persistence, ended with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
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
function redisMissing(): string | undefined {
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
  const command = options.command ?? 'redis-server';
  const { child, ended, untilReady } = launchRedis(
    command,
    [...args, '--dir', folder, ...(options.args ?? [])],
    folder,
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(() => connects(socket));
    if (options.untouched !== true) await beginStore(socket);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `unix://${socket}`, socket, pid: child.pid ?? 0, stop };
}

export interface LaunchedRedis {
  readonly child: ChildProcess;
  /** When the process has ended, or could not be started. */
  readonly ended: Promise<void>;
  /** Until `ready` says so; rejects with the output of a server that ended before. */
  untilReady(ready: () => Promise<boolean>): Promise<void>;
}

export function launchRedis(command: string, args: readonly string[], folder: string): LaunchedRedis {
  const file = join(folder, 'output.log');
  const output = openSync(file, 'w');
  const child = spawn(command, args, { stdio: ['ignore', output, output] });
  closeSync(output);
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const endWith = (how: string): void => {
      end = how;
      resolve();
    };
    child.once('error', (error) => endWith(error.message));
    child.once('exit', (code, signal) => endWith(signal ?? `exit code ${code}`));
  });
  const untilReady = async (ready: () => Promise<boolean>): Promise<void> => {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      if (end !== undefined)
        throw new Error(`${command} ended at start (${end}): ${readFileSync(file, 'utf8').trim()}`);
      if (await ready()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${command} does not answer: ${readFileSync(file, 'utf8').trim()}`);
  };
  return { child, ended, untilReady };
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

function connects(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}
