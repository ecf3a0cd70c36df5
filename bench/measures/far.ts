/**
 * Redis one millisecond away: the latency that a decision adds to an open-loop load, in round trips, and CPU under full load; with as
 * many calls in flight as the distance asks for, and with two.
 */
import { NO_QUOTA, PATH, STRICT, trusted, USERS } from '../gateway/config.js';
import { type Contest, contest, cpuOf, rowOf } from '../gateway/contest.js';
import { type BenchGateway, withCallsInFlight } from '../gateway/start.js';
import { type Paced, paced } from '../lib/paced.js';
import { pings } from '../lib/pings.js';
import { interleave, median } from '../lib/rounds.js';
import { forkServer } from '../lib/server.js';
import { table, whole } from '../lib/table.js';
import type { Field, Measured } from './measure.js';

const ROUND_TRIP_MS = 1;
/** Requests per second, and how many round trips a decision may add to their median. */
const PACES = [
  { perSecond: 500, most: 1.15 },
  { perSecond: 5_000, most: 1.35 },
] as const;
const BY_DISTANCE = 'strict, calls by distance';
const TWO = 'strict, two calls in flight';

export async function far(field: Field, options: Contest): Promise<Measured> {
  const proxy = await forkServer(import.meta.url, '../lib/delay-proxy.js', [
    field.redis.socket,
    String(ROUND_TRIP_MS),
  ]);
  const redis = proxy.url.replace('http:', 'redis:');
  const servers: BenchGateway[] = [];
  try {
    servers.push(await field.start({ name: 'no quota', routes: NO_QUOTA }));
    servers.push(await field.start({ name: BY_DISTANCE, routes: STRICT, redis }));
    const root = withCallsInFlight(field.folder, 2);
    servers.push(await field.start({ name: TWO, routes: STRICT, redis, root }));
    const roundTripUs = await pings(redis, options);
    const rows = await contest(
      servers.map((server) => ({ server })),
      options,
    );
    const paces: { perSecond: number; most: number; figures: Figures }[] = [];
    for (const { perSecond, most } of PACES)
      paces.push({ perSecond, most, figures: await paceAll(servers, perSecond, options) });
    const added = (name: string, figures: Figures): number =>
      ((figures.get(name)?.p50Us ?? Number.NaN) - (figures.get('no quota')?.p50Us ?? 0)) / roundTripUs;
    const cells = servers.map(({ name }) => {
      const row = rowOf(rows, name);
      const quiet = paces.flatMap(({ figures }) => {
        const own = figures.get(name);
        return [whole(own?.p50Us ?? 0), whole(own?.p99Us ?? 0), added(name, figures).toFixed(2)];
      });
      const full = [row.serverUs, row.redisUs, cpuOf(row)].map((us) => us.toFixed(1));
      return [name, ...quiet, whole(row.perSecond), ...full];
    });
    const heads = PACES.flatMap(({ perSecond }) => [`${perSecond}/s: p50 µs`, 'p99 µs', 'adds, round trips']);
    const fullHead = ['64 conn. req/s', 'server µs/req', 'Redis µs/req', 'sum µs/req'];
    return {
      title: `Redis ${ROUND_TRIP_MS} ms away (measured ${whole(roundTripUs)} µs)`,
      table: table(['', ...heads, ...fullHead], cells),
      aims: paces.map(({ perSecond, most, figures }) => {
        return {
          text: `p50 adds at ${perSecond}/s`,
          measured: added(BY_DISTANCE, figures),
          most,
          unit: ' round trips',
        };
      }),
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await proxy.stop();
  }
}

type Figures = ReadonlyMap<string, Pick<Paced, 'p50Us' | 'p99Us'>>;

async function paceAll(
  servers: readonly BenchGateway[],
  perSecond: number,
  { rounds, seconds }: Contest,
): Promise<Figures> {
  const headersOf = (index: number): Record<string, string> => trusted()(index % USERS);
  const contestants = servers.map(({ name, url }) => ({
    name,
    run: () => paced({ url, path: PATH, perSecond, seconds, headersOf }),
  }));
  const samples = await interleave(contestants, rounds);
  return new Map(
    [...samples].map(([name, list]) => [
      name,
      {
        p50Us: median(list.map((sample) => sample.p50Us)),
        p99Us: median(list.map((sample) => sample.p99Us)),
      },
    ]),
  );
}
