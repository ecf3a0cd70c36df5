/** The fail-overs of `npm run faults`. */
import { ClusterSet } from '../support/cluster.js';
import { SentinelSet } from '../support/sentinel.js';
import { type FailoverSet, type FailoverTrial, tryFailover } from './failover.js';

interface Failover {
  readonly name: string;
  /** If not two seconds. */
  readonly recoveryMaxMs?: number;
  run(): Promise<FailoverTrial>;
}

type Options = Parameters<typeof tryFailover>[1];

async function on(
  starting: Promise<FailoverSet & { close(): Promise<void> }>,
  options: Options,
): Promise<FailoverTrial> {
  const set = await starting;
  try {
    return await tryFailover(set, options);
  } finally {
    await set.close();
  }
}

const onSentinels = (options: Options) => on(SentinelSet.start(), options);
const onCluster = (options: Options) => on(ClusterSet.start(), options);

export const FAILOVERS: readonly Failover[] = [
  { name: 'sentinel: master killed', run: () => onSentinels({}) },
  { name: 'sentinel: master killed, calls lost', run: () => onSentinels({ lostMs: 1_000 }) },
  {
    name: 'sentinel: master killed, minReplicas 1',
    recoveryMaxMs: 10_000,
    run: () => onSentinels({ lostMs: 1_000, minReplicas: 1 }),
  },
  { name: 'sentinel: master hangs', run: () => onSentinels({ end: 'SIGSTOP' }) },
  { name: 'cluster: master killed', run: () => onCluster({}) },
  { name: 'cluster: master killed, calls lost', run: () => onCluster({ lostMs: 1_000 }) },
  { name: 'cluster: master hangs', run: () => onCluster({ end: 'SIGSTOP' }) },
];
