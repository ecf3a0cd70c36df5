/** Processes that take part in a bench. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { treeOf } from './cpu.js';

/** A server under test. */
export interface Contender {
  readonly name: string;
  /** `http://host:port` */
  readonly url: string;
  /** All its processes, without Redis. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A server of this bench that can send messages. */
export interface OwnServer extends Contender {
  /** Returns a function that removes the listener. */
  onMessage(heard: (message: unknown) => void): () => void;
}

/** Starts a server of this bench in its own process; it sends its port when it listens. `module`: relative to the caller. */
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

/** Lines of output kept for an error message. */
const LINES_KEPT = 8;

/** Starts another program that listens on the given port. */
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

/** Resolves with undefined as soon as the port accepts connections, else with the reason. */
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

/** A port that is free now. Another process could still take it first. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
