/**
 * Redis one millisecond away: the latency that a decision adds to an open-loop load, in round trips; and the CPU cost of one or two
 * calls in flight under full load.
 */
import { NO_QUOTA, PATH, STRICT, trusted, USERS } from '../gateway/config.js';
import { type Contest, contest, cpuOf, rowOf } from '../gateway/contest.js';
import { type BenchGateway, withCallsInFlight } from '../gateway/start.js';
import { type Paced, paced } from '../lib/paced.js';
import { interleave, median } from '../lib/rounds.js';
import { forkServer } from '../lib/server.js';
import { table, whole } from '../lib/table.js';
import { pings } from './alone.js';
import type { Field, Measured } from './measure.js';

const ROUND_TRIP_MS = 1;
const PER_SECOND = 500;
const CALLS_IN_FLIGHT = [1, 2] as const;

export async function far(field: Field, options: Contest): Promise<Measured> {
  const proxy = await forkServer(import.meta.url, '../lib/delay-proxy.js', [
    field.redis.socket,
    String(ROUND_TRIP_MS),
  ]);
  const redis = proxy.url.replace('http:', 'redis:');
  const servers: BenchGateway[] = [];
  try {
    servers.push(await field.start({ name: 'no quota', routes: NO_QUOTA }));
    for (const calls of CALLS_IN_FLIGHT) {
      const root = withCallsInFlight(field.folder, calls);
      servers.push(await field.start({ name: inFlight(calls), routes: STRICT, redis, root }));
    }
    const roundTripUs = await pings(redis, options);
    const rows = await contest(
      servers.map((server) => ({ server })),
      options,
    );
    const pace = await paceAll(servers, options);
    const base = pace.get('no quota')?.p50Us ?? 0;
    const added = (name: string): number => ((pace.get(name)?.p50Us ?? Number.NaN) - base) / roundTripUs;
    const cells = servers.map(({ name }) => {
      const row = rowOf(rows, name);
      const own = pace.get(name);
      const quiet = [whole(own?.p50Us ?? 0), whole(own?.p99Us ?? 0), added(name).toFixed(2)];
      const full = [
        whole(row.perSecond),
        row.serverUs.toFixed(1),
        row.redisUs.toFixed(1),
        cpuOf(row).toFixed(1),
      ];
      return [name, ...quiet, ...full];
    });
    const head = ['', 'paced p50 µs', 'p99 µs', 'p50 adds, round trips'];
    const fullHead = ['64 conn. req/s', 'server µs/req', 'Redis µs/req', 'sum µs/req'];
    return {
      title: `Redis ${ROUND_TRIP_MS} ms away (measured ${whole(roundTripUs)} µs); paced: ${PER_SECOND}/s`,
      table: table([...head, ...fullHead], cells),
      aims: [
        { text: `p50 adds, ${inFlight(2)}`, measured: added(inFlight(2)), most: 1.6, unit: ' round trips' },
        { text: `p50 adds, ${inFlight(1)}`, measured: added(inFlight(1)), most: 1.6, unit: ' round trips' },
      ],
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await proxy.stop();
  }
}

function inFlight(calls: number): string {
  return `${calls} call${calls === 1 ? '' : 's'} in flight`;
}

async function paceAll(
  servers: readonly BenchGateway[],
  { rounds, seconds }: Contest,
): Promise<ReadonlyMap<string, Pick<Paced, 'p50Us' | 'p99Us'>>> {
  const headersOf = (index: number): Record<string, string> => trusted()(index % USERS);
  const contestants = servers.map(({ name, url }) => ({
    name,
    run: () => paced({ url, path: PATH, perSecond: PER_SECOND, seconds, headersOf }),
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
