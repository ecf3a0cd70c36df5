/** What a peer of the bench is: another way to put limits before an upstream. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from '../../test/support/redis.js';
import type { Contender } from '../lib/server.js';

export interface Place {
  /** For its files; removed at the end. */
  readonly folder: string;
  readonly upstream: string;
  readonly redis: RedisServer;
}

export interface Peer {
  readonly name: string;
  /** Why it cannot take part here. */
  readonly lacks: string | undefined;
  start(place: Place): Promise<Contender>;
}

/** Where a program lies: in the path, or in one of the folders that are mostly not in it. */
export function onPath(program: string, ...folders: string[]): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), ...folders]
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
