// A gateway that is killed while it exports: every charge arrives, and what comes twice has the same id.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { EventReceiver, unitsByUser } from '../support/event-receiver.js';
import { as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { fieldsOf } from '../support/ledgers.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const USERS = ['ana', 'bob', 'cid'];
const WAITED_MAX_MS = 30_000;

interface Parts {
  readonly receiver: EventReceiver;
  readonly folder: string;
  spawn(redis?: string): Promise<GatewayProcess>;
}

async function partsOf(t: Test): Promise<Parts> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-export-'));
  const [receiver, upstream] = await Promise.all([new EventReceiver().start(), TestUpstream.start()]);
  t.teardown(async () => {
    await Promise.all([receiver.stop(), upstream.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const target = { url: receiver.url, batchEvents: 5, timeoutMs: 3_000 };
  const quotas = `journal: ${JSON.stringify({ exports: { bills: target } })}`;
  const orgs = '  acme: { plans: { usage: { allowance: 100000, mode: hard } } }';
  return {
    receiver,
    folder,
    async spawn(redis) {
      const gateway = await spawnGateway({ redis, upstream: upstream.url, quotas, orgs }, folder);
      t.teardown(() => gateway.stop('SIGKILL'));
      return gateway;
    },
  };
}

async function request(gateway: GatewayProcess, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await ask(gateway.gateway, '/v3/unit', { headers: as(USERS[index % USERS.length] ?? '') });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const from = performance.now();
  while (!(await isSo())) {
    if (performance.now() - from > WAITED_MAX_MS) throw new Error('waited too long');
    await delay(50);
  }
}

/** Kills it while a batch is in flight. */
async function killMidBatch(gateway: GatewayProcess, receiver: EventReceiver): Promise<void> {
  receiver.slowMs = 300;
  await until(() => receiver.batches.length >= 3);
  await gateway.stop('SIGKILL');
  receiver.slowMs = 0;
}

/** The units of each user, as the ledger counts them. */
async function consumed(ledger: Ledger): Promise<Record<string, number>> {
  const { start = '0' } = await fieldsOf(ledger, 'acme', 'org');
  const lines = await fieldsOf(ledger, 'acme', `consumed:${Number(start)}`);
  return Object.fromEntries(USERS.map((user) => [user, Number(lines[`usage:u:${user}`]) / 10]));
}

async function hasAll(ledger: Ledger): Promise<boolean> {
  const { exports = [] } = (await ledger.pendingWork('acme')) ?? {};
  return exports.length > 0 && exports.every(({ firstWaiting }) => firstWaiting === '');
}

function repeated({ batches }: EventReceiver): number {
  const ids = batches.flatMap(({ events }) => events.map(({ id }) => id));
  return ids.length - new Set(ids).size;
}

t.test('two gateways on one Redis, one is killed', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const { receiver, spawn } = await partsOf(t);
  const [first, second] = await Promise.all([spawn(redis.url), spawn(redis.url)]);
  const ledger = await openRedis({ url: redis.url });
  t.teardown(() => ledger.close());
  await request(first, 30);
  await request(second, 30);
  const client = new Redis(redis.url.replace(/^unix:\/\//, ''));
  t.teardown(() => client.disconnect());
  await Promise.all([killMidBatch(first, receiver), request(second, 30)]);
  // In place of 15 s, if it was the one that exported.
  await client.del('qg:lease:export:bills:acme');
  await request(second, 30);
  await until(() => hasAll(ledger));
  t.same(unitsByUser(receiver.events()), await consumed(ledger));
  t.ok(repeated(receiver) <= 5, 'at most the batch in flight came again');
});

t.test('the embedded ledger', async (t) => {
  const { receiver, spawn, folder } = await partsOf(t);
  const killed = await spawn();
  await request(killed, 60);
  await killMidBatch(killed, receiver);
  const next = await spawn();
  await request(next, 30);
  await until(() => receiver.events().length === 90);
  await next.stop();
  const ledger = await openEmbedded({ path: join(folder, 'data', 'ledger') });
  t.teardown(() => ledger.close());
  t.ok(await hasAll(ledger));
  t.same(unitsByUser(receiver.events()), await consumed(ledger));
  t.comment(
    `${repeated(receiver)} events came again: what it confirmed in the last second was not on the disk yet`,
  );
});
