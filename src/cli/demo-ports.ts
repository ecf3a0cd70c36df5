/** The ports of the demo's listeners: the options that set them, and what to do when one is taken. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { addressOf } from '../app/listen.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import type { Address } from '../config/values.js';

/** What `quotagate demo` was given; left out: the port of the config. */
export interface PortOptions {
  readonly port?: number;
  readonly adminPort?: number;
  readonly opsPort?: number;
}

/** Between the port of one demo and that of the next. */
const STEP = 100;
const PORT_MAX = 65_535;

/** Reads an option. */
export function portIn(text: string): number {
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port;
  throw new InvalidArgumentError('Write a number from 1 to 65535, or 0 for any free port.');
}

/** The options as the variables of their settings. */
export function portVariables({ port, adminPort, opsPort }: PortOptions): Environment {
  const at = (given: number | undefined) => (given === undefined ? undefined : `127.0.0.1:${given}`);
  const variables = {
    QUOTAGATE_SERVER_GATEWAY: at(port),
    QUOTAGATE_SERVER_ADMIN: at(adminPort),
    QUOTAGATE_SERVER_OPS: at(opsPort),
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

/**
 * Rejects if a port is taken. Looks at all of them, so that one message names each. `command`: the demo's, with options.
 */
export async function refuseTakenPorts(
  { gateway, admin, ops }: Config['server'],
  command: (options: string) => string,
): Promise<void> {
  const listeners = [
    ['--port', addressOf(gateway)],
    ['--admin-port', addressOf(admin)],
    ['--ops-port', addressOf(ops)],
  ] as const;
  const taken: number[] = [];
  const options: string[] = [];
  for (const [option, address] of listeners) {
    if (await isFree(address)) continue;
    taken.push(address.port);
    options.push(`${option} ${await freePortAfter(address)}`);
  }
  if (taken.length === 0) return;
  const ports = taken.length === 1 ? 'this port is' : 'these ports are';
  throw new Error(
    `${ports} taken: ${taken.join(', ')}. Another process listens there, such as another demo. ` +
      `Stop it, or choose another port:\n\n  ${command(options.join(' '))}\n`,
  );
}

async function freePortAfter({ host, port }: Address): Promise<number> {
  for (let other = port + STEP; other <= PORT_MAX; other += STEP)
    if (await isFree({ host, port: other })) return other;
  return 0;
}

/** Whatever else keeps a listener from its address is reported when it opens. */
async function isFree({ host, port }: Address): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
  } finally {
    server.close();
  }
}
