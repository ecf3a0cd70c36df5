/**
 * Measures the cost of a decision in Redis, with all rules in use. `npm run bench:ledger -- --help` lists the options. README.md
 * describes the method.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Ledger } from '../src/ledger/port.js';
import type { Connection } from '../src/ledger/redis/connection.js';
import { openRedis } from '../src/ledger/redis/index.js';
import { Keys } from '../src/ledger/redis/keys.js';
import { startRedis } from '../test/support/redis.js';
import { freePort } from '../test/support/redis-node.js';
import { bareLoad, fixedLoad, heldLoad, type Load, ONE_QUOTA } from './ledger/loads.js';
import { callTimes, measure } from './ledger/measure.js';
import { type BenchOrg, type Size, seed } from './ledger/orgs.js';
import { scriptsOf } from './ledger/other-scripts.js';
import { type Figures, NAMES, OTHER, print } from './ledger/report.js';
import { openConnection } from './lib/connection.js';
import { commitLine, machineLine } from './lib/machine.js';
import { interleave, median } from './lib/rounds.js';

const USAGE = `Options:
  --full            also an org of 1,000,000 users
  --rounds <n>      number of measured rounds (default 15)
  --ms <n>          milliseconds per load and round (default 250)
  --only <text>     only loads whose name contains the text; aims that need other loads are skipped
  --replica         also calls that one replica must confirm (minReplicas 1)
  --against <lua>   also run each load on the scripts of another folder, in the same rounds`;

interface Options {
  readonly full: boolean;
  readonly rounds: number;
  readonly milliseconds: number;
  readonly only: string;
  readonly against: string | undefined;
  readonly replica: boolean;
}

/** Requests in flight at any time, in calls of one or many requests. */
const CONCURRENT = 64;
const PREFIX = 'qg';

const GROUPS = { groups: 100, groupsOfUser: 4 };
const SIZES: readonly Size[] = [
  { org: 'base', users: 1_000, ...GROUPS },
  { org: 'g1', users: 1_000, groups: 100, groupsOfUser: 1 },
  { org: 'g16', users: 1_000, groups: 100, groupsOfUser: 16 },
  { org: 'u1', users: 1, ...GROUPS },
  { org: 'u100', users: 100, ...GROUPS },
  { org: 'u100k', users: 100_000, ...GROUPS },
  { org: 'spent', users: 1_000, ...GROUPS, spent: true },
];
const MILLION: Size = { org: 'u1m', users: 1_000_000, ...GROUPS };
const MANY: readonly Size[] = Array.from({ length: 1_000 }, (_, index) => {
  return { org: `many-${index}`, users: 10, groups: 4, groupsOfUser: 4 };
});

function optionsOf(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    full: flag,
    help: flag,
    rounds: text,
    ms: text,
    only: text,
    against: text,
    replica: flag,
  };
  const { values } = parseArgs({ args, options });
  if (values.help) return undefined;
  const { full, rounds = '15', ms = '250', only = '', against, replica } = values;
  return { full, replica, rounds: Number(rounds), milliseconds: Number(ms), only, against };
}

async function seedAll(ledger: Ledger, full: boolean): Promise<Map<string, BenchOrg>> {
  const orgs = new Map<string, BenchOrg>();
  for (const size of [...SIZES, ...MANY, ...(full ? [MILLION] : [])])
    orgs.set(size.org, await seed(ledger, size));
  return orgs;
}

function ledgerLoads(ledger: Ledger, orgs: ReadonlyMap<string, BenchOrg>): Load[] {
  const shape = (name: string, org: string, batch: number) => {
    const own = [...orgs.values()].filter((one) => one.org === org || one.org.startsWith(`${org}-`));
    return { name, orgs: own, batch, inFlight: Math.max(1, Math.round(CONCURRENT / batch)) };
  };
  const load = (name: string, org: string, batch: number): Load => fixedLoad(ledger, shape(name, org, batch));
  const both = (name: string, org: string): Load[] => [
    load(name, org, CONCURRENT),
    load(`${name}, batch 1`, org, 1),
  ];
  return [
    load(NAMES.oneByOne, 'base', 1),
    fixedLoad(ledger, { ...shape(NAMES.one, 'g1', 1), costs: ONE_QUOTA }),
    fixedLoad(ledger, { ...shape(NAMES.thirteen, 'g1', 13), costs: ONE_QUOTA }),
    load('batch 4', 'base', 4),
    load('batch 16', 'base', 16),
    load(NAMES.batched, 'base', CONCURRENT),
    load('batch 256', 'base', 256),
    load(NAMES.oneGroup, 'g1', CONCURRENT),
    load(NAMES.sixteenGroups, 'g16', CONCURRENT),
    ...both(NAMES.oneUser, 'u1'),
    load('org of 100 users', 'u100', CONCURRENT),
    ...both(NAMES.manyUsers, 'u100k'),
    ...(orgs.has('u1m') ? both(NAMES.mostUsers, 'u1m') : []),
    ...both('1,000 orgs', 'many'),
    fixedLoad(ledger, { ...shape('all refused', 'spent', CONCURRENT), expects: 'refused' }),
    heldLoad(ledger, shape('held, then settled', 'base', CONCURRENT)),
    heldLoad(ledger, shape('held, then settled, batch 8', 'base', 8)),
    heldLoad(ledger, shape('held, then settled, batch 2', 'base', 2)),
  ];
}

/** On a replica of the server. On loopback, its confirmation costs a round trip: only ratios mean something. */
async function confirmedLoads(url: string, port: number, orgs: ReadonlyMap<string, BenchOrg>) {
  const replica = await startRedis({ untouched: true, args: ['--replicaof', '127.0.0.1', String(port)] });
  const status = await openConnection(replica.url);
  while (!/master_link_status:up/.test(String(await status.send('info', ['replication'])))) await delay(50);
  await status.close();
  const replication = { replicas: 1, waitMs: 1_000 };
  const ledger = await openRedis({ url, prefix: PREFIX, replication });
  const loads = ledgerLoads(ledger, orgs)
    .filter(({ name }) => [NAMES.oneByOne, NAMES.batched].includes(name as never))
    .map((load) => ({ ...load, name: `${load.name}, minReplicas 1` }));
  const close = async (): Promise<void> => {
    await ledger.close();
    await replica.stop();
  };
  return { loads, close };
}

/** The cost of a round trip without any rule, to compare machines. */
async function yardsticks(redis: Connection): Promise<Load[]> {
  const source = `return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)`;
  const script = { name: 'yardstick', source, sha: createHash('sha1').update(source).digest('hex') };
  const decide = readFileSync(
    fileURLToPath(new URL('../../bench/peers/decide.lua', import.meta.url)),
    'utf8',
  );
  const peer = { name: 'peer', source: decide, sha: createHash('sha1').update(decide).digest('hex') };
  const peerKeys = ['peer:limits', 'peer:consumed'];
  const users = Array.from({ length: CONCURRENT }, (_, user) => [`u:u${user}`, '1000000000']).flat();
  await redis.send('hset', ['peer:limits', 'g:g1', '900000000000', 'o', '1000000000000', ...users]);
  return [
    bareLoad(NAMES.peer, CONCURRENT, (slot) => redis.run(peer, peerKeys, [`u${slot}`, 'g1', 1])),
    bareLoad('a script of one HINCRBY', CONCURRENT, (slot) => redis.run(script, ['bare'], [slot])),
    bareLoad('a bare INCRBY', CONCURRENT, (slot) => redis.send('incrby', [`bare:${slot}`, 1])),
  ];
}

async function run(options: Options): Promise<Figures[]> {
  const port = await freePort();
  const server = await startRedis({ port, args: ['--repl-diskless-sync-delay', '0'] });
  const redis = await openConnection(server.url);
  const ledger = await openRedis({ url: server.url, prefix: PREFIX });
  const open: { close(): Promise<void> }[] = [redis, ledger];
  try {
    const version = /redis_version:(\S+)/.exec(String(await redis.send('info', ['server'])))?.[1] ?? '?';
    console.log(`${machineLine([`redis ${version} on a unix socket`])}\n${commitLine()}`);
    const orgs = await seedAll(ledger, options.full);
    const loads = [...ledgerLoads(ledger, orgs), ...(await yardsticks(redis))];
    if (options.against !== undefined) {
      const other = await openRedis({ url: server.url, prefix: PREFIX, scripts: scriptsOf(options.against) });
      open.push(other);
      loads.push(...ledgerLoads(other, orgs).map((load) => ({ ...load, name: load.name + OTHER })));
    }
    if (options.replica) {
      const { loads: confirmed, close } = await confirmedLoads(server.url, port, orgs);
      open.push({ close });
      loads.push(...confirmed);
    }
    const chosen = loads.filter(({ name }) => name.includes(options.only));
    return await runRounds(chosen, options, server.pid, redis);
  } finally {
    await Promise.all(open.map((one) => one.close()));
    await server.stop();
  }
}

async function runRounds(
  loads: readonly Load[],
  options: Options,
  pid: number,
  redis: Connection,
): Promise<Figures[]> {
  const contestants = loads.map((load) => ({
    name: load.name,
    run: async () => {
      const sample = await measure(load, pid, options.milliseconds);
      await trim(load, redis);
      return sample;
    },
  }));
  const samples = await interleave(contestants, options.rounds);
  const figures: Figures[] = [];
  for (const load of loads) {
    const taken = samples.get(load.name) ?? [];
    figures.push({
      name: load.name,
      perSecond: median(taken.map((one) => one.perSecond)),
      redis: median(taken.map((one) => one.redis)),
      client: median(taken.map((one) => one.client)),
      lines: median(taken.map((one) => one.lines)),
      times: await callTimes(load, redis, options.milliseconds),
    });
    await trim(load, redis);
  }
  return figures;
}

/** Drops journals, as folding does: with growing journals the rounds would not be equal. */
async function trim({ orgs }: Load, redis: Connection): Promise<void> {
  const keys = new Keys(PREFIX);
  await Promise.all(orgs.map(({ org }) => redis.send('unlink', [keys.of(org, 'journal')])));
}

const options = optionsOf(process.argv.slice(2));
if (options === undefined) console.log(USAGE);
else print(await run(options));
