/**
 * What a decision costs in Redis, with all rules on. `npm run bench:ledger -- --help` names the options; README.md has the
 * method.
 */
import { parseArgs } from 'node:util';
import { startRedis } from '../test/support/redis.js';
import { openRedis } from '../src/ledger/redis/index.js';
import { Connection } from '../src/ledger/redis/connection.js';
import type { Ledger } from '../src/ledger/port.js';
import { type Book, seed, type Size } from './ledger/books.js';
import { bareLoad, fixedLoad, heldLoad, type Load } from './ledger/loads.js';
import { type CallTimes, callTimes, measure, type Sample } from './ledger/measure.js';
import { scriptsOf } from './ledger/other-scripts.js';
import { commitLine, machineLine } from './lib/machine.js';
import { interleave, median } from './lib/rounds.js';
import { type Aim, table, verdicts, whole } from './lib/table.js';

const USAGE = `Options:
  --full            an org of 1,000,000 users too
  --rounds <n>      rounds that count (default 15)
  --ms <n>          length of a load's turn in a round (default 300)
  --only <text>     only the loads whose name contains the text (no verdict on aims that need others)
  --against <lua>   the same loads on the scripts of another folder, in the same rounds, as \`<name> (other)\``;

interface Options {
  readonly full: boolean;
  readonly rounds: number;
  readonly milliseconds: number;
  readonly only: string;
  readonly against: string | undefined;
}

const CONCURRENT = 64;
const ONE_BY_ONE = 'batch 1: one call a request';
const BASE = 'batch 64';
const OTHER = ' (other)';
/** The gateway cuts its batches at about so many counter lines. */
const LINES_MOST = 500;

const SIZES: readonly Size[] = [
  { org: 'base', users: 1_000, groups: 100, groupsOfUser: 4 },
  { org: 'g1', users: 1_000, groups: 100, groupsOfUser: 1 },
  { org: 'g16', users: 1_000, groups: 100, groupsOfUser: 16 },
  { org: 'u1', users: 1, groups: 100, groupsOfUser: 4 },
  { org: 'u100k', users: 100_000, groups: 100, groupsOfUser: 4 },
  { org: 'spent', users: 1_000, groups: 100, groupsOfUser: 4, spent: true },
];
const MILLION: Size = { org: 'u1m', users: 1_000_000, groups: 100, groupsOfUser: 4 };
const MANY: readonly Size[] = Array.from({ length: 1_000 }, (_, index) => {
  return { org: `many-${index}`, users: 10, groups: 4, groupsOfUser: 4 };
});

function optionsOf(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { full: flag, help: flag, rounds: text, ms: text, only: text, against: text };
  const { values } = parseArgs({ args, options });
  if (values.help) return undefined;
  const { full, rounds = '15', ms = '300', only = '', against } = values;
  return { full, rounds: Number(rounds), milliseconds: Number(ms), only, against };
}

async function seedAll(ledger: Ledger, full: boolean): Promise<Map<string, Book>> {
  const books = new Map<string, Book>();
  for (const size of [...SIZES, ...MANY, ...(full ? [MILLION] : [])]) books.set(size.org, await seed(ledger, size));
  return books;
}

function loadsOn(ledger: Ledger, books: Map<string, Book>): Load[] {
  const load = (name: string, org: string, batch: number, expects?: 'refused'): Load => {
    const own = [...books.values()].filter((book) => book.org.startsWith(org));
    const shape = { name, books: own, batch, inFlight: Math.max(1, CONCURRENT / batch) };
    return fixedLoad(ledger, expects === undefined ? shape : { ...shape, expects });
  };
  const base = books.get('base');
  return [
    load(ONE_BY_ONE, 'base', 1),
    load('batch 4', 'base', 4),
    load('batch 16', 'base', 16),
    load(BASE, 'base', 64),
    load('batch 256', 'base', 256),
    load('1 group a user', 'g1', 64),
    load('16 groups a user', 'g16', 64),
    load('org of 1 user', 'u1', 64),
    load('org of 100,000 users', 'u100k', 64),
    ...(books.has('u1m') ? [load('org of 1,000,000 users', 'u1m', 64)] : []),
    load('org of 1 user, batch 1', 'u1', 1),
    load('org of 100,000 users, batch 1', 'u100k', 1),
    ...(books.has('u1m') ? [load('org of 1,000,000 users, batch 1', 'u1m', 1)] : []),
    load('1,000 orgs', 'many-', 64),
    load('1,000 orgs, batch 1', 'many-', 1),
    load('all refused', 'spent', 64, 'refused'),
    heldLoad(ledger, { name: 'held, then settled', books: base ? [base] : [], batch: 64, inFlight: 1 }),
  ];
}

interface Figures extends Sample {
  readonly name: string;
  readonly times: CallTimes;
}

async function run(options: Options): Promise<Figures[]> {
  const redis = await startRedis();
  const ledger = await openRedis({ url: redis.url });
  const raw = new Connection({ url: redis.url });
  await raw.open();
  const ledgers = [ledger];
  try {
    const version = /redis_version:(\S+)/.exec(String(await raw.send('info', ['server'])))?.[1] ?? '?';
    console.log(`${machineLine([`redis ${version} on a unix socket`])}\n${commitLine()}`);
    const books = await seedAll(ledger, options.full);
    const loads = [...loadsOn(ledger, books), bareLoad((command, args) => raw.send(command, args), CONCURRENT)];
    if (options.against !== undefined) {
      const other = await openRedis({ url: redis.url, scripts: scriptsOf(options.against) });
      ledgers.push(other);
      loads.push(...loadsOn(other, books).map((load) => ({ ...load, name: load.name + OTHER })));
    }
    const chosen = loads.filter(({ name }) => name.includes(options.only));
    return await runRounds(chosen, options, redis.pid, raw);
  } finally {
    await Promise.all([...ledgers.map((one) => one.close()), raw.close()]);
    await redis.stop();
  }
}

async function runRounds(loads: Load[], options: Options, pid: number, raw: Connection): Promise<Figures[]> {
  const contestants = loads.map((load) => ({
    name: load.name,
    run: async () => {
      const sample = await measure(load, pid, options.milliseconds);
      await trim(load, raw);
      return sample;
    },
  }));
  const samples = await interleave(contestants, options.rounds);
  const figures: Figures[] = [];
  for (const load of loads) {
    const of = samples.get(load.name) ?? [];
    const middle = (pick: (sample: Sample) => number): number => median(of.map(pick));
    figures.push({
      name: load.name,
      perSecond: middle((one) => one.perSecond),
      redis: middle((one) => one.redis),
      client: middle((one) => one.client),
      lines: middle((one) => one.lines),
      times: await callTimes(load, raw, options.milliseconds),
    });
  }
  return figures;
}

/** As folding would: a journal that only grows would make the last round another one than the first. */
async function trim({ books }: Load, raw: Connection): Promise<void> {
  await Promise.all(books.map(({ org }) => raw.send('unlink', [`qg:{${org}}:journal`])));
}

function print(figures: readonly Figures[]): void {
  const head = ['load', 'decisions/s', 'Redis µs', 'client µs', 'both µs', 'lines a call', 'call p50 µs', 'p99', 'max'];
  const rows = figures.map(({ name, perSecond, redis, client, lines, times }) => [
    name,
    whole(perSecond),
    redis.toFixed(1),
    client.toFixed(1),
    (redis + client).toFixed(1),
    whole(lines),
    ...[times.p50, times.p99, times.max].map(whole),
  ]);
  console.log(`\n${table(head, rows)}\n\n${verdicts(aimsOf(figures))}`);
}

function aimsOf(figures: readonly Figures[]): Aim[] {
  const find = (name: string): Figures | undefined => figures.find((one) => one.name === name);
  const ratio = (text: string, a: string, b: string, most: number, of: (one: Figures) => number): Aim[] => {
    const [over, under] = [find(a), find(b)];
    return over && under ? [{ text, measured: of(over) / of(under), most, unit: ' ×' }] : [];
  };
  const redis = (one: Figures): number => one.redis;
  const both = (one: Figures): number => one.redis + one.client;
  const bounded = figures.filter(({ lines }) => lines <= LINES_MOST);
  const large = find('org of 1,000,000 users') ? 'org of 1,000,000 users' : 'org of 100,000 users';
  const slowest = Math.max(...bounded.map(({ times }) => times.max)) / 1000;
  return [
    ...ratio('batched against one call a request, Redis CPU', BASE, ONE_BY_ONE, 0.5, redis),
    ...ratio('batched against one call a request, Redis and client CPU', BASE, ONE_BY_ONE, 0.5, both),
    ...ratio(`${large} against 1,000, Redis CPU`, large, BASE, 1.25, redis),
    ...ratio(`${large} against 1, in calls of one, Redis CPU`, `${large}, batch 1`, 'org of 1 user, batch 1', 1.25, redis),
    ...ratio('16 groups a user against 1, Redis CPU', '16 groups a user', '1 group a user', 2, redis),
    { text: `longest call of up to ${LINES_MOST} lines`, measured: slowest, most: 2, unit: ' ms' },
  ];
}

const options = optionsOf(process.argv.slice(2));
if (options === undefined) console.log(USAGE);
else print(await run(options));
