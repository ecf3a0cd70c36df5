/** `@fastify/http-proxy` behind `@fastify/rate-limit` with Redis: one limit per user, no groups, no pool. */
import { createRequire } from 'node:module';
import { forkServer } from '../lib/server.js';
import type { Peer } from './peer.js';

const require = createRequire(import.meta.url);

function versionOf(name: string): string | undefined {
  try {
    const { version } = require(`${name}/package.json`) as { version: string };
    return version;
  } catch {
    return undefined;
  }
}

const versions = ['@fastify/http-proxy', '@fastify/rate-limit'].map(versionOf);
const name = 'Fastify http-proxy + rate-limit';

export const fastifyPair: Peer = {
  name,
  lacks: versions.includes(undefined)
    ? '@fastify/http-proxy and @fastify/rate-limit are not installed'
    : undefined,
  async start({ upstream, redis }) {
    const server = await forkServer(import.meta.url, './fastify-server.js', [upstream, redis.socket]);
    return { ...server, name };
  },
};
