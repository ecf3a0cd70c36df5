/** The slot of an org moves to another node of a Cluster, under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../src/ledger/redis/index.js';
import type { ClusterSet, Migration } from '../support/cluster.js';
import { GatewayUnderLoad } from './store-setup.js';
import { counted, type Times, timesOf, wrongIn } from './trial.js';

export interface MigrationTrial extends Migration {
  /** Answers for the org while its keys moved, by status. */
  readonly meanwhile: Readonly<Record<string, number>>;
  readonly times: Times;
  readonly freeTimes: Times;
  /** Answers for the org in the second after. */
  readonly afterwards: Readonly<Record<string, number>>;
  /** Calls that were sent again, by kind. */
  readonly redirects: Readonly<Record<string, number>>;
  readonly wrong: readonly string[];
}

const WARM_MS = 700;
const FIELDS_A_COMMAND = 1_000;

export interface MigrationOptions {
  /** Fields of one table of the org. */
  readonly fields: number;
  /** Between two keys. */
  readonly pauseMs: number;
}

export async function tryMigration(
  set: ClusterSet,
  { fields, pauseMs }: MigrationOptions,
): Promise<MigrationTrial> {
  const setup = await GatewayUnderLoad.on(set.settings, () => openRedis(set.address));
  try {
    const owner = await set.master();
    for (let from = 0; from < fields; from += FIELDS_A_COMMAND) {
      const pairs = Array.from({ length: FIELDS_A_COMMAND }, (_, at) => [
        `much:${from + at}`,
        'x'.repeat(20),
      ]);
      await owner.send('HSET', 'qg:{acme}:records', ...pairs.flat());
    }
    setup.startLoad();
    await delay(WARM_MS);
    const to = set.masters.find((node) => node !== owner);
    if (to === undefined) throw new Error('there is one master');
    const beganAt = performance.now();
    const migration = await set.migrate('qg:{acme}:org', to, pauseMs);
    const endedAt = performance.now();
    await delay(1_000);
    await setup.stopLoad();
    const during = setup.answers.filter(({ sentAt }) => sentAt > beganAt && sentAt < endedAt);
    const free = during.filter(({ kind }) => kind === 'free');
    const acme = setup.answers.filter(({ kind }) => kind === 'closed' || kind === 'measured');
    const moving = acme.filter((answer) => during.includes(answer));
    return {
      ...migration,
      meanwhile: counted(moving),
      times: timesOf(moving, free),
      freeTimes: timesOf(free, []),
      afterwards: counted(acme.filter(({ sentAt }) => sentAt > endedAt + 200)),
      redirects: await redirectsOf(setup),
      wrong: await wrongIn(setup),
    };
  } finally {
    await setup.close();
  }
}

async function redirectsOf(setup: GatewayUnderLoad): Promise<Record<string, number>> {
  const counts = ['moved', 'ask', 'again', 'down'].map(async (kind) => {
    const count = await setup.metric(`quotagate_store_redirects_total{kind="${kind}"}`);
    return [kind, count ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}
