/** All peers, in table order. */
import type { Contender } from '../lib/server.js';
import { envoyPair } from './envoy.js';
import { fastifyPair } from './fastify.js';
import { bareNginx, luaNginx } from './nginx.js';
import type { Peer, Place } from './peer.js';

const PEERS: readonly Peer[] = [bareNginx, luaNginx, fastifyPair, envoyPair];

export interface Started {
  readonly peers: readonly Contender[];
  /** Peers that are left out, and why. */
  readonly leftOut: readonly string[];
}

export async function startPeers(place: Place): Promise<Started> {
  const peers: Contender[] = [];
  const leftOut: string[] = [];
  for (const { name, lacks, start } of PEERS) {
    if (lacks !== undefined) leftOut.push(`${name}: ${lacks}`);
    else
      await start(place).then(
        (peer) => peers.push(peer),
        (error: Error) => leftOut.push(`${name}: ${error.message}`),
      );
  }
  return { peers, leftOut };
}
