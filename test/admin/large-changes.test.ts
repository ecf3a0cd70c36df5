// Changes of many fields under traffic: they succeed, decisions go on, and no step of the store is long.
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { ACME, applyNow, type Json, QUOTAS, TOKEN } from './support.js';

const USERS = 20_000;
const REGISTRATIONS_A_SECOND = 50;
/** What one call may name. A piece of 250 fields takes less than a millisecond. */
const CALL_ARGS_MAX = 2_000;

const users = Object.fromEntries(Array.from({ length: USERS }, (_, index) => [`u${index}`, {}]));

async function startLarge(t: Test) {
  const server = await startRedis();
  t.teardown(() => server.stop());
  const client = new Redis(server.url.replace(/^unix:\/\//, ''), { protocol: 2 });
  t.teardown(() => client.disconnect());
  await client.config('SET', 'slowlog-max-len', 100_000);
  const ledger = await openRedis({ url: server.url, objectionMs: 0 });
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(async () => {
    await app.close();
    await ledger.close();
  });
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1${path}`, { method, headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Json };
  };
  return { ledger, client, send };
}

/** Registers new users until it is stopped; returns how many, and the longest time that one took. */
function register(ledger: Ledger) {
  let isStopped = false;
  const run = async () => {
    let [count, longest] = [0, 0];
    const charged = charges('test', [{ quota: 'usage', units: 1, kind: 'fixed' }]);
    while (!isStopped) {
      const op = {
        kind: 'reserve',
        user: `new${count}`,
        claims: '',
        charges: charged,
        hold: '',
        ttlMs: 1,
      } as const;
      const begun = performance.now();
      const { results } = await applyNow(ledger, 'acme', [op]);
      longest = Math.max(longest, performance.now() - begun);
      if (results[0]?.status === 'admitted') count += 1;
      await setTimeout(1_000 / REGISTRATIONS_A_SECOND);
    }
    return { count, longest };
  };
  const done = run();
  return async () => {
    isStopped = true;
    return done;
  };
}

t.test('with 50 registrations a second', { skip: skipWithoutRedis }, async (t) => {
  const { ledger, client, send } = await startLarge(t);
  const plans = { usage: { allowance: 500_000 } };
  t.ok(
    await createOrg(ledger, {
      id: 'acme',
      seed: { ...ACME, seats: 1_000_000, users, plans },
      quotas: QUOTAS,
    }),
  );
  await client.config('SET', 'slowlog-log-slower-than', 0);
  const stop = register(ledger);
  for (const allowance of [400_000, 300_000, 200_000]) {
    const done = await send('POST', '/orgs/acme/limits/distribute', { quota: 'usage' });
    t.match(done, { status: 200, body: { percentSum: 100 } });
    t.ok(done.body.users >= USERS);
    t.match(await send('PUT', '/orgs/acme/plans/usage', { allowance }), { status: 200 });
    t.match(await send('PATCH', '/orgs/acme/limits/usage:u:u7', { units: 5 }), { status: 200 });
  }
  const { count, longest } = await stop();
  t.ok(count > 10, `${count} registered`);
  t.ok(longest < 500, `a decision takes ${longest.toFixed()} ms`);
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['seatsUsed', 'state'] }]);
  t.same(values, [[String(USERS + count), 'open']]);
  t.equal(Math.max(...(await callSizes(client))) <= CALL_ARGS_MAX, true, 'the size of a call is bounded');
});

/** Of the calls that were recorded: Redis keeps 31 arguments, and says how many more there were. */
async function callSizes(client: Redis): Promise<number[]> {
  const calls = (await client.slowlog('GET', 100_000)) as [number, number, number, string[]][];
  return calls.map(([, , , args]) => {
    const more = /^\.\.\. \((\d+) more arguments\)$/.exec(args.at(-1) ?? '')?.[1];
    return args.length + Number(more ?? 0);
  });
}
