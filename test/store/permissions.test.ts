// At start, missing rights of the Redis user are reported by name; the documented rights are enough.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { redis62, skipWithoutRedis, startRedis } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const QUOTAS = { usage: { unit: 'units', decimals: 0 } };
const SEED = { cycle: { every: 'year', anchor: 101, timeZone: 'UTC' } } as const;

const PAGE = readFileSync(join(ROOT, 'docs/store.md'), 'utf8');
/** The rule that it gives. */
const DOCUMENTED = /ACL SETUSER quotagate on >\S+ (.*)$/m.exec(PAGE)?.[1] ?? '';

const servers = [
  { name: 'the redis-server on PATH', command: undefined, skip: skipWithoutRedis },
  { name: 'Redis 6.2', command: redis62, skip: redis62 === undefined && 'QUOTAGATE_REDIS_62 is not set' },
];

async function setUp(t: Test, command: string | undefined) {
  const redis = await startRedis(command === undefined ? {} : { command });
  const direct = new Redis(redis.socket, { protocol: 2 });
  t.teardown(async () => {
    direct.disconnect();
    await redis.stop();
  });
  const proxy = await FaultProxy.start(redis.socket);
  t.teardown(() => proxy.close());
  const as = async (rules: readonly string[], database = 0) => {
    await direct.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', ...rules);
    const url = `${proxy.url.replace('redis://', 'redis://app@')}/${database}`;
    return openRedis({ url, password: () => 'secret', objectionMs: 0 });
  };
  return { direct, as };
}

for (const { name, command, skip } of servers) {
  t.test(`the documented rights are enough: ${name}`, { skip }, async (t) => {
    const { direct, as } = await setUp(t, command);
    const ledger = await as(DOCUMENTED.split(' '));
    t.teardown(() => ledger.close());
    t.equal(await createOrg(ledger, { id: 'acme', seed: SEED, quotas: QUOTAS }), true);
    t.same(await direct.keys('qg:{\\*permissions\\*}*'), [], 'the check leaves no keys behind');
  });

  t.test(`missing rights are named: ${name}`, { skip }, async (t) => {
    const { as } = await setUp(t, command);
    const refusal = (...rules: string[]) => as(rules).then(String, ({ message }) => message as string);
    t.match(await refusal('~qg:*', '+@all', '-@dangerous'), /lacks permissions: \+info\. Grant .* \+info$/);
    t.match(
      await refusal('~qg:*', '+@all', '-hset', '-xadd', '-time'),
      /permissions: \+time \+hset \+xadd\./,
    );
    t.match(await refusal('~other:*', '+@all'), /permissions: ~qg:\*\./);
    t.match(await refusal('~qg:*', '+@all', '-@scripting'), /permissions: \+evalsha \+script\|load \+eval\./);
    const elsewhere = await as(['~qg:*', '+@all', '-select'], 2).then(
      String,
      ({ message }) => message as string,
    );
    t.match(elsewhere, /permissions: \+select\./);
    t.match(await refusal('~qg:*'), /permissions: \+info \+evalsha \+script\|load \+eval\./);
  });
}

t.test('every Redis command in use is checked at start and documented', async (t) => {
  const folder = (name: string) => readdirSync(join(ROOT, name)).map((file) => join(ROOT, name, file));
  const lua = [...folder('lua'), ...folder('lua/include')].filter((file) => file.endsWith('.lua'));
  const check = readFileSync(join(ROOT, 'lua/permissions.lua'), 'utf8');
  const outside = ['info', 'eval', 'evalsha', 'script|load'];
  const used = new Set<string>(outside);
  for (const file of lua)
    for (const [, command = ''] of readFileSync(file, 'utf8').matchAll(/\bp?call\('([A-Z]+)'/g))
      used.add(command.toLowerCase());
  for (const file of folder('src/ledger/redis'))
    for (const [, command = ''] of readFileSync(file, 'utf8').matchAll(/\.(?:send|ask)\(\s*'([a-z]+)'/g))
      if (command !== 'script') used.add(command);
  t.ok(used.has('hscan') && used.has('hincrby'), 'both kinds are found');
  const granted = DOCUMENTED.split(' ').filter((rule) => rule.startsWith('+'));
  for (const command of ['cluster', 'asking']) {
    t.ok(used.delete(command), `${command} is for a Cluster only`);
    t.match(PAGE, new RegExp(`\\+${command}\\b.* for a Cluster`));
  }
  t.ok(used.delete('wait'), 'wait is for minReplicas only');
  t.match(PAGE, /`\+wait` for `minReplicas`/);
  t.same(granted.map((rule) => rule.slice(1)).sort(), [...used].sort());
  for (const command of used)
    if (![...outside, 'time'].includes(command)) t.match(check, `try('${command.toUpperCase()}'`, command);
});
