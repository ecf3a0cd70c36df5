/** The first requests of fresh gateways, all at once: their code is not compiled yet, and they share two cores with the clients. */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { DEADLINE_MS } from './store-setup.js';

const GATEWAYS = 4;
export const FIRST_REQUESTS = 5_000;
const CONNECTIONS = 500;
const USERS = 50;

export interface FirstRequests {
  /** Answers by status; 0 where none arrived. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export async function tryFirstRequests(): Promise<FirstRequests> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-first-'));
  const upstream = createServer((request, response) => {
    request.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const redis = await startRedis();
  const parts = {
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    redis: redis.url,
    deadlineMs: DEADLINE_MS,
    orgs: '  acme: { plans: { usage: { allowance: 100000000 } } }',
  };
  const gateways: GatewayProcess[] = [];
  try {
    for (let index = 0; index < GATEWAYS; index += 1) gateways.push(await spawnGateway(parts, folder));
    return await fire(gateways.map(({ gateway }) => gateway));
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends them to the org `acme` of these gateways. */
export async function fire(addresses: readonly string[]): Promise<FirstRequests> {
  const statuses: Record<string, number> = {};
  const beganAt = performance.now();
  let sent = 0;
  const connection = async (number: number): Promise<void> => {
    const address = addresses[number % addresses.length] ?? '';
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (sent < FIRST_REQUESTS) {
      sent += 1;
      const headers = as(`u${sent % USERS}`);
      const { status } = await ask(address, '/v3/unit', { headers, agent }).catch(() => ({ status: 0 }));
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => connection(number)));
  return { statuses, seconds: (performance.now() - beganAt) / 1_000 };
}
