/** Starts gateways of this build or another one, each in its own process. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ConfigParts, configText } from '../../test/support/gateway.js';
import type { Contender } from '../lib/server.js';

export interface GatewayOptions extends ConfigParts {
  readonly name: string;
  /** Root folder of another build, with `dist/src/main.js`. */
  readonly root?: string;
  /** Options for Node. */
  readonly nodeArgs?: readonly string[];
}

export interface BenchGateway extends Contender {
  /** `host:port` of the ops listener. */
  readonly ops: string;
  /** `host:port` of the admin listener, and a token for it. */
  readonly admin: string;
  readonly adminToken: string;
  /** Sends a message to a module that `nodeArgs` preloads; resolves with its answer. */
  ask(): Promise<unknown>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TOKEN = 'bench-admin-token';
let count = 0;

export async function startGateway(options: GatewayOptions, folder: string): Promise<BenchGateway> {
  const { name, root = ROOT, nodeArgs = [], ...parts } = options;
  count += 1;
  const own = join(folder, `gateway-${count}`);
  const tokenFile = join(own, 'token');
  const file = join(own, 'config.yaml');
  mkdirSync(own);
  writeFileSync(tokenFile, TOKEN);
  const text = configText({ data: join(own, 'data'), ...parts, tokenFile });
  writeFileSync(file, text.replace(/level: \w+/, 'level: info'));
  const main = join(root, 'dist/src/main.js');
  const child = spawn(process.execPath, [...nodeArgs, main, 'serve', '-c', file], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const addresses = await new Promise<{ gateway: string; admin: string; ops: string }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const said = JSON.parse(line);
      // Builds before event fields logged it as the message; `against` may start one.
      if (said.event === 'listening' || said.msg === 'listening') resolve(said);
      else if (said.level >= 50) process.stderr.write(`${name}: ${line}\n`);
    });
  });
  return {
    name,
    url: `http://${addresses.gateway}`,
    ops: addresses.ops,
    admin: addresses.admin,
    adminToken: TOKEN,
    pids: [child.pid ?? 0],
    ask: () =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send('');
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Measures the delays of the gateway's event loop; `ask` returns them as a LoopDelay. */
export function withLoopDelay(): Pick<GatewayOptions, 'nodeArgs'> {
  return { nodeArgs: ['--import', new URL('../lib/loop-delay.js', import.meta.url).href] };
}

/** Copies this build with one text replaced; returns the root of the copy. */
function patchedBuild(folder: string, file: string, from: string, to: string): string {
  const root = join(folder, `build-${to.replaceAll(/\W+/g, '-')}`);
  cpSync(join(ROOT, 'dist/src'), join(root, 'dist/src'), { recursive: true });
  for (const name of ['node_modules', 'lua', 'package.json']) symlinkSync(join(ROOT, name), join(root, name));
  const path = join(root, 'dist/src', file);
  const source = readFileSync(path, 'utf8');
  if (!source.includes(from)) throw new Error(`${file} has no '${from}'`);
  writeFileSync(path, source.replace(from, to));
  return root;
}

/** A build that never has more calls of an org in flight than this, however far away the store is. */
export function withCallsInFlight(folder: string, calls: number): string {
  const present = 'const CALLS_MAX = 16;';
  return patchedBuild(folder, 'ledger/batching/distance.js', present, `const CALLS_MAX = ${calls};`);
}
