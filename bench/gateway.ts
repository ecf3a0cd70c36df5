/**
 * `npm run bench`: measures what quotas cost, compared with the same gateway without them and with other products. Each server is a
 * separate process; all share one Redis and one upstream, in one run of interleaved rounds.
 *
 * `-- quick`: only this gateway, with 64, 8 and one connections. `-- only <measure>`: one of crowd, few, alone, stalls,
 * paths, far, many.
 * `-- against <folder>`: this build compared with another one. Two numbers: rounds, and seconds per turn.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../test/support/redis.js';
import { NO_QUOTA, ORGS, STRICT } from './gateway/config.js';
import { type BenchGateway, type GatewayOptions, startGateway } from './gateway/start.js';
import { commitLine, machineLine } from './lib/machine.js';
import { forkServer } from './lib/server.js';
import { verdicts } from './lib/table.js';
import { against } from './measures/against.js';
import { ALONE, CROWD, crowd, FEW } from './measures/crowd.js';
import { far } from './measures/far.js';
import { many } from './measures/many.js';
import type { Field, Measured } from './measures/measure.js';
import { paths } from './measures/paths.js';
import { stalls } from './measures/stalls.js';

interface Options {
  readonly quick: boolean;
  readonly only: string | undefined;
  readonly against: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
}

function optionsOf(args: readonly string[]): Options {
  const figures = args.filter((arg) => /^[\d.]+$/.test(arg)).map(Number);
  const [rounds = 5, seconds = 2] = figures;
  const after = (word: string): string | undefined =>
    args.includes(word) ? args[args.indexOf(word) + 1] : undefined;
  const quick = args.includes('quick');
  return { quick, only: after('only'), against: after('against'), rounds, seconds };
}

async function openField(folder: string): Promise<Field & { close(): Promise<void> }> {
  const upstream = await forkServer(import.meta.url, './gateway/upstream.js');
  const redis = await startRedis();
  const started: BenchGateway[] = [];
  const start = async (options: Omit<GatewayOptions, 'upstream' | 'orgs'>): Promise<BenchGateway> => {
    const gateway = await startGateway({ ...options, upstream: upstream.url, orgs: ORGS }, folder);
    started.push(gateway);
    return gateway;
  };
  return {
    folder,
    upstream: upstream.url,
    redis,
    start,
    plain: await start({ name: 'no quota', routes: NO_QUOTA }),
    strict: await start({ name: 'strict, Redis', routes: STRICT, redis: redis.url }),
    embedded: await start({ name: 'strict, embedded', routes: STRICT }),
    async close() {
      await Promise.all(started.map((gateway) => gateway.stop()));
      await redis.stop();
      await upstream.stop();
    },
  };
}

type Run = (field: Field) => Promise<Measured>;

function measuresOf({ quick, only, against: other, rounds, seconds }: Options, field: Field): readonly Run[] {
  const { redis } = field;
  const options = { rounds, seconds, redis, connections: 64 };
  const brief = { ...options, rounds: Math.min(rounds, 3), seconds: seconds * 0.75 };
  if (other !== undefined) return [(given) => against(given, options, other)];
  const all: Readonly<Record<string, Run>> = {
    crowd: (given) => crowd(given, { ...options, withPeers: !quick }, CROWD),
    few: (given) => crowd(given, { ...brief, withPeers: !quick }, FEW),
    alone: (given) => crowd(given, { ...brief, withPeers: !quick }, ALONE),
    stalls: (given) => stalls(given, brief),
    paths: (given) => paths(given, options),
    far: (given) => far(given, brief),
    many: (given) => many(given, brief),
  };
  const chosen = only === undefined ? Object.keys(all) : [only];
  return chosen
    .filter((name) => !quick || ['crowd', 'few', 'alone', 'stalls'].includes(name))
    .flatMap((name) => all[name] ?? []);
}

function print({ title, table, aims, remarks = [] }: Measured): void {
  const parts = [`## ${title}`, table, remarks.join('\n'), verdicts(aims)];
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n\n`);
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-bench-'));
  process.stdout.write(
    `${machineLine([`${options.rounds} rounds of ${options.seconds} s`])}\n${commitLine()}\n\n`,
  );
  const field = await openField(folder);
  try {
    for (const run of measuresOf(options, field)) print(await run(field));
  } finally {
    await field.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
