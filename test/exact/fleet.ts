/** Four gateway processes on one store (one process with the embedded ledger), and an upstream that counts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterSet } from '../support/cluster.js';
import { type ConfigParts, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { SentinelSet } from '../support/sentinel.js';

export const STORES = ['redis', 'embedded', 'sentinel', 'cluster'] as const;
export type StoreName = (typeof STORES)[number];

export interface Fleet {
  readonly gateways: readonly GatewayProcess[];
  /** Requests that the upstream answered since the last call. */
  served(): number;
  close(): Promise<void>;
}

interface Store {
  readonly config: Pick<ConfigParts, 'redis' | 'settings'>;
  close(): Promise<void>;
}

async function startStore(store: StoreName): Promise<Store> {
  switch (store) {
    case 'embedded':
      return { config: {}, close: async () => undefined };
    case 'redis': {
      const redis = await startRedis();
      return { config: { redis: redis.url }, close: () => redis.stop() };
    }
    default: {
      const set = await (store === 'sentinel' ? SentinelSet.start() : ClusterSet.start());
      return { config: { settings: set.settings }, close: () => set.close() };
    }
  }
}

export async function startFleet(name: StoreName): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-exact-'));
  let count = 0;
  const upstream = createServer((request, response) => {
    count += 1;
    request.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const store = await startStore(name);
  const parts = { upstream: url, ...store.config, orgs: '  none: {}' };
  const gateways: GatewayProcess[] = [];
  for (let index = 0; index < (name === 'embedded' ? 1 : 4); index += 1)
    gateways.push(await spawnGateway(parts, folder));
  return {
    gateways,
    served() {
      const served = count;
      count = 0;
      return served;
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      upstream.closeAllConnections();
      await new Promise((resolve) => upstream.close(resolve));
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
