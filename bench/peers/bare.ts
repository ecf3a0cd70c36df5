/** A proxy of 30 lines with the same parts as the gateway: what Fastify and undici cost by themselves. */
import { forkServer } from '../lib/server.js';
import type { Peer } from './peer.js';

export const bareProxy: Peer = {
  name: 'Fastify + undici, bare proxy',
  lacks: undefined,
  async start({ upstream }) {
    return { ...(await forkServer(import.meta.url, './bare-server.js', [upstream])), name: this.name };
  },
};
