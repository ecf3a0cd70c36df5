/** Checks at the start whether the Redis user may run every command that is used here. */
import { StoreError } from '../port.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { loadScript } from './scripts.js';

/**
 * Returns the missing permissions as arguments of `ACL SETUSER`; `keys` is the pattern. Empty if nothing is missing.
 */
export async function missingPermissions(connection: Connection, keys: Keys): Promise<string[]> {
  const missing: string[] = [];
  if (await isDenied(connection, 'info', ['server'])) missing.push('+info');
  const { database } = connection;
  // Without it, the connection would stay in database 0.
  if (database > 0 && (await isDenied(connection, 'select', [database]))) missing.push('+select');
  // A digest of no script: the reply is either a refused permission or NOSCRIPT.
  if (await isDenied(connection, 'evalsha', ['0'.repeat(40), 0])) missing.push('+evalsha');
  if (await isDenied(connection, 'script', ['load', 'return 0'])) missing.push('+script|load');
  if (await isDenied(connection, 'eval', ['return 0', 0])) return [...missing, '+eval'];
  for (const name of await deniedInScript(connection, keys)) {
    const rule = name === 'key' ? `~${keys.pattern}` : `+${name.toLowerCase()}`;
    if (!missing.includes(rule)) missing.push(rule);
  }
  return missing;
}

async function isDenied(
  connection: Connection,
  command: string,
  args: (string | number)[],
): Promise<boolean> {
  return connection.ask(command, args).then(() => false, isNoPermission);
}

/** Other errors are reported by the call that meets them. */
function isNoPermission(error: unknown): boolean {
  return error instanceof StoreError && error.message.startsWith('NOPERM');
}

async function deniedInScript(connection: Connection, keys: Keys): Promise<string[]> {
  const scratch = ['hash', 'string', 'set', 'sorted', 'stream'].map((kind) => keys.scratch(kind));
  const { source } = loadScript('permissions');
  try {
    return (await connection.ask('eval', [source, scratch.length, ...scratch])) as string[];
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
