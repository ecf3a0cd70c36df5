/** Checks at the start whether the Redis user may run every command that is used here. */
import { StoreError } from '../port.js';
import type { Keys } from './keys.js';
import { loadScript } from './scripts.js';
import type { Asker } from './topology.js';

/** What a Cluster is asked for besides. */
export const CLUSTER_SUBCOMMANDS = ['slots', 'info', 'myid'];

/**
 * Returns the missing permissions as arguments of `ACL SETUSER`; `keys` is the pattern. Empty if nothing is missing.
 */
export async function missingPermissions(asker: Asker, keys: Keys, waits: boolean): Promise<string[]> {
  const missing: string[] = [];
  if (await isDenied(asker, 'info', ['server'])) missing.push('+info');
  if (waits && (await isDenied(asker, 'wait', [0, 1]))) missing.push('+wait');
  const { database, isCluster } = asker;
  if (isCluster) {
    for (const name of CLUSTER_SUBCOMMANDS)
      if (await isDenied(asker, 'cluster', [name])) missing.push(`+cluster|${name}`);
    if (await isDenied(asker, 'asking', [])) missing.push('+asking');
  }
  // Without it, the connection would stay in database 0.
  if (database > 0 && (await isDenied(asker, 'select', [database]))) missing.push('+select');
  // A digest of no script: the reply is either a refused permission or NOSCRIPT.
  if (await isDenied(asker, 'evalsha', ['0'.repeat(40), 0])) missing.push('+evalsha');
  if (await isDenied(asker, 'script', ['load', 'return 0'])) missing.push('+script|load');
  if (await isDenied(asker, 'eval', ['return 0', 0])) return [...missing, '+eval'];
  for (const name of await deniedInScript(asker, keys)) {
    const rule = name === 'key' ? `~${keys.pattern}` : `+${name.toLowerCase()}`;
    if (!missing.includes(rule)) missing.push(rule);
  }
  return missing;
}

async function isDenied(asker: Asker, command: string, args: (string | number)[]): Promise<boolean> {
  return asker.ask(command, args).then(() => false, isNoPermission);
}

/** Other errors are reported by the call that meets them. */
function isNoPermission(error: unknown): boolean {
  return error instanceof StoreError && error.message.startsWith('NOPERM');
}

async function deniedInScript(asker: Asker, keys: Keys): Promise<string[]> {
  const scratch = ['hash', 'string', 'set', 'sorted', 'stream'].map((kind) => keys.scratch(kind));
  const { source } = loadScript('permissions');
  try {
    return (await asker.ask('eval', [source, scratch.length, ...scratch])) as string[];
  } catch (error) {
    // Redis checks the keys of a script before it runs.
    return isNoPermission(error) ? ['key'] : [];
  }
}

export function permissionsError(missing: readonly string[]): Error {
  return new Error(
    `the Redis user lacks permissions: ${missing.join(' ')}. Grant them with ACL SETUSER <user> ${missing.join(' ')}`,
  );
}
