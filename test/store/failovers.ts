/** The fail-overs of `npm run faults`. */
import { ClusterSet } from '../support/cluster.js';
import { SentinelSet } from '../support/sentinel.js';
import { type FailoverSet, type FailoverTrial, tryFailover } from './failover.js';
import { type PartitionOptions, tryPartition } from './partition.js';

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
  { name: 'sentinel: promoted by hand', run: () => onSentinels({ end: 'promotion' }) },
  { name: 'cluster: master killed', run: () => onCluster({}) },
  { name: 'cluster: master killed, calls lost', run: () => onCluster({ lostMs: 1_000 }) },
  { name: 'cluster: master hangs', run: () => onCluster({ end: 'SIGSTOP' }) },
  { name: 'cluster: promoted by hand', run: () => onCluster({ end: 'promotion' }) },
  { name: 'cluster: promoted by hand, without consent', run: () => onCluster({ end: 'takeover' }) },
  ...(['sentinel', 'cluster'] as const).flatMap((form) => [
    partition({ form, side: 'gateway apart from master' }),
    partition({ form, side: 'master alone' }),
    partition({ form, side: 'master with gateway' }),
  ]),
  partition({ form: 'sentinel', side: 'master with gateway', maxLagSeconds: 1 }),
  // The set has to be whole again before a replica confirms anything.
  partition({ form: 'sentinel', side: 'master with gateway', minReplicas: 1 }, 15_000),
];

/** Only in a network of its own, as `npm run faults` starts itself. */
function partition(options: PartitionOptions, recoveryMaxMs?: number): Failover {
  const { form, side, maxLagSeconds, minReplicas } = options;
  const bounds = [
    maxLagSeconds === undefined ? '' : `, min-replicas-max-lag ${maxLagSeconds}`,
    minReplicas === undefined ? '' : `, minReplicas ${minReplicas}`,
  ];
  const name = `${form}: partition, ${side}${bounds.join('')}`;
  return {
    name,
    run: () => tryPartition(options),
    ...(recoveryMaxMs === undefined ? {} : { recoveryMaxMs }),
  };
}
