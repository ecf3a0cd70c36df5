/** Many gateways on one Redis: their ledgers and batchers in this process, two connections each, without HTTP. */
import { StoreBatcher } from '../../src/ledger/batching/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { charges } from '../../src/quota/charge.js';
import { USERS } from '../gateway/config.js';
import { watchCpu } from '../lib/cpu.js';
import { interleave, median } from '../lib/rounds.js';
import { table, whole } from '../lib/table.js';
import type { Field, Measured } from './measure.js';

const GATEWAYS = 50;
const IN_FLIGHT = 400;
const COST = charges('maps', [{ quota: 'usage', units: 1, kind: 'fixed' }]);

interface Sample {
  readonly perSecond: number;
  readonly redisUs: number;
  readonly clientUs: number;
  readonly redisShare: number;
}

interface Setting {
  readonly gateways: number;
  readonly callsInFlight: number;
}

const SETTINGS: readonly Setting[] = [
  { gateways: 1, callsInFlight: 1 },
  { gateways: 1, callsInFlight: 2 },
  { gateways: GATEWAYS, callsInFlight: 1 },
  { gateways: GATEWAYS, callsInFlight: 2 },
];

export async function many(
  { redis }: Field,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Measured> {
  const ledgers: Ledger[] = [];
  for (let index = 0; index < GATEWAYS; index += 1) ledgers.push(await openRedis({ url: redis.url }));
  const contestants = SETTINGS.map((setting) => {
    const { gateways, callsInFlight } = setting;
    const batcher = ledgers
      .slice(0, gateways)
      .map((ledger) => new StoreBatcher({ ledger, callsInFlight, deadlineMs: 10_000, unknownUsers: 'deny' }));
    return { name: nameOf(setting), run: () => drive(batcher, redis.pid, seconds) };
  });
  const samples = await interleave(contestants, rounds);
  await Promise.all(ledgers.map((ledger) => ledger.close()));
  const cells = [...samples].map(([name, list]) => {
    const of = (key: keyof Sample): number => median(list.map((sample) => sample[key]));
    return [
      name,
      whole(of('perSecond')),
      of('redisUs').toFixed(1),
      of('clientUs').toFixed(1),
      `${(of('redisShare') * 100).toFixed(0)} %`,
    ];
  });
  return {
    title: `${GATEWAYS} gateways on one Redis, ${IN_FLIGHT} requests of one org at once`,
    table: table(['', 'decisions/s', 'Redis µs each', 'gateways µs each', 'Redis, of a core'], cells),
    aims: [],
  };
}

function nameOf({ gateways, callsInFlight }: Setting): string {
  return `${gateways} gateway${gateways === 1 ? '' : 's'}, ${callsInFlight} in flight`;
}

async function drive(batcher: readonly StoreBatcher[], redisPid: number, seconds: number): Promise<Sample> {
  const spent = watchCpu({ redis: redisPid, client: process.pid });
  const began = performance.now();
  const until = began + seconds * 1_000;
  let decisions = 0;
  const keepAsking = async (slot: number): Promise<void> => {
    const own = batcher[slot % batcher.length];
    if (own === undefined) return;
    for (let user = slot; performance.now() < until; user += 1) {
      const op = {
        kind: 'reserve',
        user: `u${user % USERS}`,
        claims: '',
        charges: COST,
        hold: '',
        ttlMs: 60_000,
      } as const;
      const { result } = await own.decide('bench', op);
      if (result.status !== 'admitted') throw new Error(`a decision was ${result.status}`);
      decisions += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, slot) => keepAsking(slot)));
  const elapsed = performance.now() - began;
  const { redis, client } = spent();
  return {
    perSecond: decisions / (elapsed / 1_000),
    redisUs: redis / decisions,
    clientUs: client / decisions,
    redisShare: redis / 1_000 / elapsed,
  };
}
