/** A peer of the bench: another product that enforces limits in front of an upstream. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from '../../test/support/redis.js';
import type { Contender } from '../lib/server.js';

export interface Place {
  /** Folder for its files; removed at the end. */
  readonly folder: string;
  readonly upstream: string;
  readonly redis: RedisServer;
}

export interface Peer {
  readonly name: string;
  /** Why it cannot take part; undefined if it can. */
  readonly lacks: string | undefined;
  start(place: Place): Promise<Contender>;
}

/** Path of a program, from PATH or one of the further folders. */
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

export interface Started {
  readonly peers: readonly Contender[];
  /** Peers that are left out, and why. */
  readonly leftOut: readonly string[];
}

export async function startPeers(known: readonly Peer[], place: Place): Promise<Started> {
  const peers: Contender[] = [];
  const leftOut: string[] = [];
  for (const peer of known) {
    if (peer.lacks !== undefined) leftOut.push(`${peer.name}: ${peer.lacks}`);
    else
      await peer.start(place).then(
        (started) => peers.push(started),
        (error: Error) => leftOut.push(`${peer.name}: ${error.message}`),
      );
  }
  return { peers, leftOut };
}
