/** Few connections on the embedded ledger: its writes to disk must not show in latency, nor in delays of the event loop. */
import { NO_QUOTA, PATH, STRICT, trusted } from '../gateway/config.js';
import type { Contest } from '../gateway/contest.js';
import { fire, type LoadResult } from '../gateway/load.js';
import { type BenchGateway, withLoopDelay } from '../gateway/start.js';
import { watchCpu } from '../lib/cpu.js';
import type { LoopDelay } from '../lib/loop-delay.js';
import { interleave, median } from '../lib/rounds.js';
import { table, whole } from '../lib/table.js';
import type { Field, Measured } from './measure.js';

interface Sample extends LoadResult, LoopDelay {
  readonly serverUs: number;
}

const CONNECTIONS = [1, 8] as const;
const WARM_UP = { connections: 64, seconds: 4 };
/** A flush holds the event loop for less than a millisecond; the rest is the noise of a shared core. */
const DELAY_ADDED_MS = 1;

export async function stalls(field: Field, { rounds, seconds }: Contest): Promise<Measured> {
  const plain = await field.start({ name: 'no quota', routes: NO_QUOTA, ...withLoopDelay() });
  const embedded = await field.start({ name: 'strict, embedded', routes: STRICT, ...withLoopDelay() });
  const servers = [plain, embedded];
  for (const server of servers) await measure(server, WARM_UP);
  const contestants = CONNECTIONS.flatMap((connections) =>
    servers.map((server) => ({
      name: nameOf(server, connections),
      run: () => measure(server, { connections, seconds }),
    })),
  );
  const samples = await interleave(contestants, rounds);
  const of = (name: string, key: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[key]));
  const cells = contestants.map(({ name }) => [
    name,
    ...(['perSecond', 'p50Us', 'p99Us'] as const).map((key) => whole(of(name, key))),
    of(name, 'serverUs').toFixed(1),
    ...(['p99Ms', 'maxMs'] as const).map((key) => of(name, key).toFixed(2)),
  ]);
  const aims = CONNECTIONS.flatMap((connections) => {
    const [base, own] = servers.map((server) => nameOf(server, connections)) as [string, string];
    return [
      {
        text: `${own}: p99 of no quota`,
        measured: of(own, 'p99Us') / of(base, 'p99Us'),
        most: 1.3,
        unit: '×',
      },
      {
        text: `${own}: p99 of the event loop's delay adds`,
        measured: of(own, 'p99Ms') - of(base, 'p99Ms'),
        most: DELAY_ADDED_MS,
        unit: ' ms',
      },
    ];
  });
  const head = ['', 'req/s', 'p50 µs', 'p99 µs', 'server µs/req', 'loop delay p99 ms', 'max ms'];
  return { title: 'Embedded ledger, few connections', table: table(head, cells), aims };
}

function nameOf({ name }: BenchGateway, connections: number): string {
  return `${name}, ${connections} connection${connections === 1 ? '' : 's'}`;
}

async function measure(
  server: BenchGateway,
  load: { readonly connections: number; readonly seconds: number },
): Promise<Sample> {
  await server.ask();
  const spent = watchCpu({ server: server.pids });
  const result = await fire({ url: server.url + PATH, ...load, headersOf: trusted(), expected: 200 });
  const cpu = spent();
  if (result.other > 0) throw new Error(`${server.name}: ${result.other} answers were not 200`);
  const delay = (await server.ask()) as LoopDelay;
  return { ...result, ...delay, serverUs: cpu.server / result.requests };
}
