/** Reads what a Redis server reports in INFO, and whether it can keep counters. */

export interface ServerInfo {
  /** Identifies the data: the server's process and its replication history, as far as reported. '' if neither is. */
  readonly id: string;
  /** Of a Cluster: the id of the node. */
  readonly nodeId: string | undefined;
  readonly isReplica: boolean;
  readonly isLoading: boolean;
  /** Why the server cannot keep counters; undefined if it can. */
  readonly unfit: string | undefined;
}

export function readInfo(info: string, nodeId?: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of info.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const field = (name: string): string => fields.get(name) ?? '';
  return {
    id: [field('run_id'), field('master_replid'), nodeId ?? ''].filter((part) => part !== '').join(' '),
    nodeId,
    isReplica: field('role') === 'slave',
    isLoading: !['', '0'].includes(field('loading')),
    unfit: unfitness(field('redis_version'), field('maxmemory_policy')),
  };
}

function unfitness(version: string, policy: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Older versions lack commands that the scripts use.
  if (major < 6 || (major === 6 && minor < 2)) return `Redis ${version} is too old: 6.2 or newer is needed`;
  if (policy === '' || policy === 'noeviction') return undefined;
  return `Redis has maxmemory-policy ${policy}: set it to noeviction, because eviction silently loses counters`;
}
