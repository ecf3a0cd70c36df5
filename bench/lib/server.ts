/** Processes that take part in a bench. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { treeOf } from './cpu.js';

/** Something that answers requests. */
export interface Contender {
  readonly name: string;
  /** `http://host:port` */
  readonly url: string;
  /** All of its processes, but for Redis. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A server of ours, which may tell us something. */
export interface OwnServer extends Contender {
  /** Returns what ends the listening. */
  onMessage(heard: (message: unknown) => void): () => void;
}

/** A server of ours in a process of its own, which tells its port when it listens. `module`: from the caller's folder. */
export async function forkServer(
  from: string,
  module: string,
  args: readonly string[] = [],
): Promise<OwnServer> {
  const child = fork(fileURLToPath(new URL(module, from)), args);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', (code) => reject(new Error(`${module} ended with ${code}`)));
  });
  return {
    name: module,
    url: `http://127.0.0.1:${port}`,
    pids: [child.pid ?? 0],
    stop: () => stopped(child, 'SIGKILL'),
    onMessage(heard) {
      child.on('message', heard);
      return () => child.off('message', heard);
    },
  };
}

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly port: number;
  readonly withinMs?: number;
}

/** Of what a program said, for the case that it fails. */
const LINES_KEPT = 8;

/** A foreign program that listens on a port that it was told. */
export async function startProgram({
  name,
  command,
  args,
  env,
  port,
  withinMs = 20_000,
}: Program): Promise<Contender> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (said.length > LINES_KEPT) said.shift();
    });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code) => resolve(`it ended with ${code}`));
  });
  const why = await Promise.race([ended, untilListens(port, withinMs)]);
  if (why !== undefined) {
    child.kill('SIGKILL');
    throw new Error(`${name}: ${why}\n${said.join('\n')}`);
  }
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    pids: treeOf(child.pid ?? 0),
    stop: () => stopped(child, 'SIGTERM'),
  };
}

async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** Undefined once something listens there; else why not. */
async function untilListens(port: number, withinMs: number): Promise<string | undefined> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const connected = await new Promise<boolean>((resolve) => {
      const probe = connect(port, '127.0.0.1', () => {
        probe.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (connected) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `nothing listened within ${withinMs} ms`;
}

/** A port that is free now; who takes it at once mostly gets it. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
